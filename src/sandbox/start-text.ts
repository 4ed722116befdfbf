import type { Sandbox } from "./sandbox.ts";

/** What a person or a program needs to go on, with the values of tokens: told once. */
export interface Facts {
  readonly version: string;
  readonly url: string;
  /** A token with scope `api` and a project with a file, unless a scenario makes its own. */
  readonly token?: string;
  readonly project?: string;
  readonly cloneUrl?: string;
  readonly users: readonly string[];
  /** What the steps of a scenario gave, tokens with their values. */
  readonly steps?: readonly object[];
  readonly control: string;
  readonly controlToken?: string;
  readonly ssh?: { readonly port: number };
  readonly certificates?: {
    readonly ca: string;
    readonly clientCertificate: string;
    readonly clientKey: string;
  };
}

interface Example {
  readonly token: string;
  readonly project: string;
}

export function factsOf(sandbox: Sandbox, example: Example | null, steps: readonly object[]): Facts {
  const { url, version, certificates, controlToken, ssh } = sandbox;
  return {
    version,
    url,
    ...(example && { ...example, cloneUrl: `${url}/${example.project}.git` }),
    users: [...sandbox.rows.users.values()].map(({ username }) => username),
    ...(steps.length > 0 && { steps }),
    control: `${url}/-/sandbox`,
    ...(controlToken && { controlToken: controlToken.reveal() }),
    ...(ssh && { ssh: { port: ssh.port } }),
    ...(certificates && { certificates: certificates.files }),
  };
}

/** The same for people. */
export function startText(facts: Facts, host: string): string[] {
  const { url, project } = facts;
  return [
    `GitLab ${facts.version} in a box: ${url}`,
    "This is no place for real code: everyone who can reach this address and has the token can read and write",
    "all of it, and what it holds is gone when it ends.",
    ...(facts.controlToken === undefined ? [] : warning(host, facts.controlToken)),
    `Users: ${facts.users.join(", ")}`,
    ...(facts.token === undefined ? [] : [`Token of demo with scope api: ${facts.token}`]),
    ...(facts.steps ?? []).flatMap(tokenLine),
    ...(project === undefined
      ? []
      : [
          `Example project: ${url}/${project}`,
          `  git clone ${facts.cloneUrl}     user name: any, password: the token`,
        ]),
    ...(facts.ssh ? [`SSH: port ${facts.ssh.port}, user git, with deploy keys and keys of users`] : []),
    ...(facts.certificates
      ? [
          `Private CA: ${facts.certificates.ca}     also at ${facts.control}/ca.pem`,
          `A client's certificate and key: ${facts.certificates.clientCertificate}, ${facts.certificates.clientKey}`,
        ]
      : []),
    `What it holds, a push with one click, and everything that can go wrong: ${facts.control}/page`,
    curlLine(facts),
    "Ctrl-C ends it.",
  ];
}

function curlLine({ control, certificates, controlToken }: Facts): string {
  const trust = certificates ? ` --cacert ${certificates.ca}` : "";
  const login = controlToken === undefined ? "" : " -H 'Authorization: Bearer <control token>'";
  return `  curl${trust}${login} -X PATCH -H 'Content-Type: application/json' -d '{"faults":{"latencyMs":200}}' ${control}`;
}

function warning(host: string, controlToken: string): string[] {
  return [
    "",
    `WARNING: it listens at ${host}, where other machines reach it. Whoever has a token from below is in.`,
    `Control token, told only now: ${controlToken}`,
    "  as Bearer token, or as password of any user in a browser",
    "",
  ];
}

function tokenLine(step: object): string[] {
  const value: unknown = Reflect.get(step, "value");
  if (typeof value !== "string") return [];
  const [name, scopes] = [Reflect.get(step, "name"), Reflect.get(step, "scopes")].map(String);
  return [`Token ${name} with scopes ${scopes}: ${value}`];
}
