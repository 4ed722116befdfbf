import { accessSync, constants } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { Fault } from "./faults/fault.ts";
import { findNearest } from "./kernel/nearest.ts";
import {
  databaseUrl,
  flag,
  hostName,
  listenHost,
  port,
  proxyAddress,
  secret,
  splitList,
  webAddress,
} from "./config-rules.ts";
import type { Secret } from "./kernel/secret.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The one table: each variable with its rule, its default as people read it, and one sentence. */
const VARIABLES = z.object({
  HTTPS_PROXY: proxyAddress.meta({
    shown: "none",
    description:
      "The proxy through which GitLabs with an https address are reached, for those that were connected without `--proxy`. Also in lower case, which wins.",
  }),
  HTTP_PROXY: proxyAddress.meta({
    shown: "none",
    description: "The same for GitLabs with an http address.",
  }),
  NO_PROXY: z.string().default("").transform(splitList).meta({
    shown: "none",
    description:
      "Hosts that are reached without those proxies: `git.acme.lan`, `.acme.lan` (all below), `10.0.0.0/8`, `*`; each with `:port` or without. This machine itself never needs one.",
  }),
  FAIRLEAD_DATA_DIR: z.string().optional().meta({
    shown: "`/var/lib/fairlead` for root, else `~/.local/share/fairlead`",
    description:
      "Where Fairlead keeps everything: database, key, mirrors, releases. `$XDG_DATA_HOME/fairlead` is used when that is set.",
  }),
  FAIRLEAD_HOST: listenHost.default("127.0.0.1").meta({
    shown: "`127.0.0.1`",
    description:
      "Address the API and the webhook receiver listen on. Leave it and put a TLS proxy in front, or set `0.0.0.0`.",
  }),
  FAIRLEAD_PORT: port().default(7070).meta({
    shown: "`7070`",
    description: "Port of the API and the webhook receiver; 0 takes any free one.",
  }),
  FAIRLEAD_PUBLIC_URL: webAddress.nullable().default(null).meta({
    shown: "none",
    description:
      "Where GitLab reaches this server, for example `https://deploy.acme.lan`. Never guessed: without it no webhook is made, unless GitLab is on this machine.",
  }),
  FAIRLEAD_ALLOWED_HOSTS: z.string().default("").transform(splitList).pipe(z.array(hostName)).meta({
    shown: "none",
    description:
      "More host names the API answers to, separated by commas. Addresses, `localhost`, `FAIRLEAD_HOST` and the public URL's host always are.",
  }),
  FAIRLEAD_EDGE_HOST: listenHost.default("127.0.0.1").meta({
    shown: "`127.0.0.1`",
    description:
      "Address on which people reach the apps. On this machine only, until you set `0.0.0.0` or put a proxy in front.",
  }),
  FAIRLEAD_EDGE_PORT: port().default(8080).meta({
    shown: "`8080`",
    description: "Port on which people reach the apps; 0 takes any free one.",
  }),
  FAIRLEAD_TRUST_FORWARDED: flag.meta({
    shown: "`0`",
    description:
      "Hand the `X-Forwarded-For`, `-Proto` and `-Host` of requests on to the apps. Only behind a proxy of yours that sets them: anybody else can claim anything.",
  }),
  FAIRLEAD_APPS_DOMAIN: hostName.optional().meta({
    shown: "`localhost`",
    description: "An app answers at `<app>.<this domain>`: point `*.<domain>` at this machine.",
  }),
  FAIRLEAD_APPS_URL: webAddress.optional().meta({
    shown: "`http://<apps domain>:<edge port>`",
    description:
      "How people reach the apps domain from outside, when a proxy is in front: `https://apps.acme.lan`.",
  }),
  DATABASE_URL: databaseUrl.meta({
    shown: "the embedded PostgreSQL",
    description:
      "A PostgreSQL of your own, `postgres://user:password@host/database`, instead of the embedded one.",
  }),
  FAIRLEAD_KEY_FILE: z.string().optional().meta({
    shown: "`<data>/secret.key`",
    description: "The key that encrypts tokens at rest. Keep a copy apart from your backups.",
  }),
  FAIRLEAD_WORKERS: z.coerce
    .number("must be a number")
    .int("must be a whole number")
    .min(1)
    .max(256)
    .optional()
    .meta({
      shown: "number of CPUs",
      description: "How many deployments run at the same time.",
    }),
  FAIRLEAD_ALLOW_UNISOLATED: flag.meta({
    shown: "`0`",
    description:
      "Builds and runs apps even where they cannot be kept from Fairlead's own files. Only for repositories you trust like this machine.",
  }),
  FAIRLEAD_LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info").meta({
    shown: "`info`",
    description: "`debug`, `info`, `warn`, `error` or `silent`.",
  }),
  FAIRLEAD_URL: webAddress.optional().meta({
    shown: "`http://<host>:<port>` of above",
    description: "For the commands: the server they talk to.",
  }),
  FAIRLEAD_API_TOKEN: secret.meta({
    shown: "none",
    description: "For the commands: the API token itself. Prefer the file.",
  }),
  FAIRLEAD_API_TOKEN_FILE: z.string().optional().meta({
    shown: "`<data>/api-token`",
    description:
      "For the commands: the file that holds the API token. The server makes it at its first start.",
  }),
  FAIRLEAD_GITLAB_TOKEN: secret.meta({
    shown: "none",
    description:
      "For `check` and `connect`: the GitLab token, when you are neither asked for it nor give `--token-file`.",
  }),
  NO_COLOR: z.string().optional().meta({
    shown: "none",
    description: "Any value: no colours on the terminal.",
  }),
});

type VariableName = keyof typeof VARIABLES.shape;
/** Values that win over the environment: what a command's options said. */
export type ConfigOverrides = Partial<Record<VariableName, string>>;

export interface Config {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | null;
  readonly allowedHosts: readonly string[];
  readonly edgeHost: string;
  readonly edgePort: number;
  readonly trustForwarded: boolean;
  readonly appsDomain: string;
  /** Scheme, apps domain and port as people type them, no slash at the end. An app's own address has its name before the domain. */
  readonly appsUrl: string;
  readonly databaseUrl: Secret | null;
  readonly keyFile: string;
  readonly workers: number;
  readonly allowUnisolated: boolean;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  /** Commands: which server. */
  readonly serverUrl: string;
  readonly apiToken: Secret | null;
  readonly apiTokenFile: string;
  readonly gitlabToken: Secret | null;
  /** Proxies of the machine, by the scheme of what is reached, and the hosts they are not for. */
  readonly proxies: {
    readonly https: Secret | null;
    readonly http: Secret | null;
    readonly exceptions: readonly string[];
  };
  readonly noColor: boolean;
  /** What programs that Fairlead starts may know of its environment: nothing else is handed on. */
  readonly passThrough: Readonly<Record<"PATH" | "HOME" | "LANG", string>>;
  /** Sentences for people: variables that look misspelt. */
  readonly warnings: readonly string[];
}

/**
 * Reads everything once. An empty variable counts as unset. Throws one `CONFIG_INVALID` whose message lists every problem; values are
 * never repeated, because some are secrets.
 */
export function readConfig(env: Environment = process.env, overrides: ConfigOverrides = {}): Config {
  const given = Object.fromEntries(
    Object.entries({ ...env, ...lowerCase(env), ...overrides }).filter(
      ([, value]) => value !== undefined && value !== "",
    ),
  );
  const parsed = VARIABLES.safeParse(given);
  const problems = parsed.success
    ? crossProblems(parsed.data)
    : parsed.error.issues.map((issue) => `${String(issue.path[0])} ${issue.message}`);
  if (!parsed.success || problems.length > 0) {
    throw Fault.of("CONFIG_INVALID", "", {
      message: `The configuration cannot be used:\n${problems.map((p) => `  ${p}`).join("\n")}`,
    });
  }
  return freeze(parsed.data, given);
}

/** By old custom these three are written small, too. */
function lowerCase(env: Environment): Environment {
  const names = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];
  const given = names.flatMap((name): [string, string][] => {
    const value = env[name.toLowerCase()];
    return value === undefined || value === "" ? [] : [[name, value]];
  });
  return Object.fromEntries(given);
}

type Values = z.output<typeof VARIABLES>;

function crossProblems(values: Values): string[] {
  const { FAIRLEAD_APPS_DOMAIN: domain, FAIRLEAD_APPS_URL: url } = values;
  if (domain === undefined || url === undefined || new URL(url).hostname === domain) return [];
  return [`FAIRLEAD_APPS_URL must be at the host FAIRLEAD_APPS_DOMAIN names`];
}

function freeze(values: Values, env: Environment): Config {
  const dataDir = resolve(values.FAIRLEAD_DATA_DIR ?? defaultDataDir(env));
  const { FAIRLEAD_APPS_URL: appsUrl } = values;
  const appsDomain =
    values.FAIRLEAD_APPS_DOMAIN ?? (appsUrl === undefined ? "localhost" : new URL(appsUrl).hostname);
  return Object.freeze({
    dataDir,
    host: values.FAIRLEAD_HOST,
    port: values.FAIRLEAD_PORT,
    publicUrl: values.FAIRLEAD_PUBLIC_URL,
    allowedHosts: Object.freeze(values.FAIRLEAD_ALLOWED_HOSTS),
    edgeHost: values.FAIRLEAD_EDGE_HOST,
    edgePort: values.FAIRLEAD_EDGE_PORT,
    trustForwarded: values.FAIRLEAD_TRUST_FORWARDED,
    appsDomain,
    appsUrl: appsUrl ?? new URL(`http://${appsDomain}:${values.FAIRLEAD_EDGE_PORT}`).origin,
    databaseUrl: values.DATABASE_URL,
    keyFile: resolve(values.FAIRLEAD_KEY_FILE ?? join(dataDir, "secret.key")),
    workers: values.FAIRLEAD_WORKERS ?? availableParallelism(),
    allowUnisolated: values.FAIRLEAD_ALLOW_UNISOLATED,
    logLevel: values.FAIRLEAD_LOG_LEVEL,
    serverUrl:
      values.FAIRLEAD_URL ??
      new URL(`http://${reachable(values.FAIRLEAD_HOST)}:${values.FAIRLEAD_PORT}`).origin,
    apiToken: values.FAIRLEAD_API_TOKEN,
    apiTokenFile: resolve(values.FAIRLEAD_API_TOKEN_FILE ?? join(dataDir, "api-token")),
    gitlabToken: values.FAIRLEAD_GITLAB_TOKEN,
    proxies: Object.freeze({
      https: values.HTTPS_PROXY,
      http: values.HTTP_PROXY,
      exceptions: Object.freeze(values.NO_PROXY),
    }),
    noColor: values.NO_COLOR !== undefined,
    passThrough: passThrough(env),
    warnings: Object.freeze(misspelt(env)),
  });
}

function passThrough(env: Environment): Config["passThrough"] {
  return Object.freeze({
    PATH: env["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: env["HOME"] ?? homedir(),
    LANG: env["LANG"] ?? "C.UTF-8",
  });
}

/** Listening everywhere is no address to connect to. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

function defaultDataDir(env: Environment): string {
  if (process.getuid?.() === 0 && (isWritable("/var/lib/fairlead") || isWritable("/var/lib")))
    return "/var/lib/fairlead";
  return join(env["XDG_DATA_HOME"] ?? join(env["HOME"] ?? homedir(), ".local", "share"), "fairlead");
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function misspelt(env: Environment): string[] {
  const names = Object.keys(VARIABLES.shape);
  return Object.keys(env)
    .filter((name) => name.startsWith("FAIRLEAD_") && !names.includes(name))
    .map((name) => {
      const nearest = findNearest(name, names);
      return `${name} is no setting of Fairlead${nearest === null ? "" : `; did you mean ${nearest}?`}`;
    });
}

const metaSchema = z.object({ shown: z.string(), description: z.string() });

function listVariables(): { name: string; shown: string; description: string }[] {
  return Object.entries(VARIABLES.shape).map(([name, schema]) => ({
    name,
    ...metaSchema.parse(schema.meta()),
  }));
}

/** `docs/configuration.md`: a test compares the two. */
export function renderConfigDocs(): string {
  const rows = listVariables().map((v) => `| \`${v.name}\` | ${v.shown} | ${v.description} |`);
  return `${DOCS_HEAD}\n| variable | default | meaning |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
}

/** The same for `fairlead serve --help`. */
export function renderConfigHelp(): string {
  return listVariables()
    .map(
      (v) =>
        `  ${v.name} (default: ${v.shown.replaceAll("`", "")})\n      ${v.description.replaceAll("`", "")}`,
    )
    .join("\n");
}

const DOCS_HEAD = `# Configuration

Fairlead is configured by environment variables, all optional. They are read once, when it starts; a value it cannot use stops the start
with every problem listed at once, and a \`FAIRLEAD_…\` variable it does not know is named in a warning. An empty variable counts as unset.
This page is made from the table in \`src/config.ts\`, and a test compares the two.

Three addresses are told apart on purpose: how Fairlead reaches GitLab (given with \`fairlead connect URL\`), how GitLab reaches Fairlead
(\`FAIRLEAD_PUBLIC_URL\`), and how people reach the apps (\`FAIRLEAD_APPS_DOMAIN\`, \`FAIRLEAD_APPS_URL\`). Nothing listens on the network
before you say so: both servers are on \`127.0.0.1\` by default.

A server for \`*.apps.acme.lan\` behind a proxy that ends TLS:

\`\`\`
FAIRLEAD_PUBLIC_URL=https://deploy.acme.lan
FAIRLEAD_APPS_URL=https://apps.acme.lan
\`\`\`
`;
