import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { openVault } from "../../src/secrets/open-vault.ts";
import { SEALED_COLUMNS } from "../../src/secrets/sealed-columns.ts";
import { findRunningDatabase } from "../../src/store/embedded/running.ts";
import { openStore } from "../../src/store/open.ts";
import { api } from "../../src/http/contract.ts";
import type { Fairlead } from "./fairlead.ts";

/** A secret of a running Fairlead. */
export interface RealSecret {
  readonly name: string;
  readonly value: string;
  /** The one file, below the data directory, that may hold it. */
  readonly home?: string;
}

/** Everything that must not be found: what the encrypted columns hold, the API token and the key itself. */
export async function listSecrets({
  dataDir,
  apiToken,
}: Pick<Fairlead, "dataDir" | "apiToken">): Promise<RealSecret[]> {
  const key = (await readFile(join(dataDir, "secret.key"), "utf8")).trim().split(/\s/).at(-1) ?? "";
  const own = [
    { name: "API token", value: apiToken, home: "api-token" },
    { name: "encryption key", value: key, home: "secret.key" },
    { name: "encryption key in hex", value: Buffer.from(key, "base64").toString("hex"), home: "secret.key" },
  ];
  return [...own, ...(await openSealed(dataDir))];
}

async function openSealed(dataDir: string): Promise<RealSecret[]> {
  const connectionString = await findRunningDatabase(dataDir);
  if (connectionString === null) throw new Error("no database runs");
  await using store = await openStore({ connectionString });
  const vault = await openVault(store, { keyFile: join(dataDir, "secret.key") });
  const found: RealSecret[] = [];
  for (const { table, column, address } of SEALED_COLUMNS) {
    const { rows } = await store.pool.query<{ id: string; sealed: Buffer; address: string | null }>(
      `select id, ${column} as sealed, ${address ?? "null"} as address from ${table} where ${column} is not null`,
    );
    for (const row of rows) {
      const origin = row.address === null ? {} : { origin: new URL(row.address).origin };
      const value = vault.open(row.sealed, { table, column, row: row.id, ...origin }).reveal();
      found.push(...partsOf(value).map((part) => ({ name: `${table}.${column}`, value: part })));
    }
  }
  return found;
}

/** What of a secret gives it away. Of an OpenSSH key the first lines are its public half; its seed is at byte 161 (PROTOCOL.key) for 32 bytes. */
function partsOf(value: string): string[] {
  if (value.startsWith("whsec_")) return [value, value.slice("whsec_".length)];
  if (!value.startsWith("-----BEGIN")) return [value];
  const lines = value.split("\n").slice(1, -2);
  const seed = Buffer.from(lines.join(""), "base64").subarray(161, 193);
  return [lines.join("\n"), lines[3] ?? "", seed.toString("base64"), seed.toString("hex")];
}

/** Every row of every table as text, binary columns in hexadecimal. */
export async function dumpDatabase(database: Client): Promise<string> {
  const { rows: tables } = await database.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const parts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await database.query<{ row: string }>(`select t::text as row from ${name} t`);
    parts.push(`${name}\n${rows.map((one) => one.row).join("\n")}`);
  }
  return parts.join("\n");
}

/**
 * What every address that can be read answers: each route of the API with each of the given parameters, and the pages for machines. Left out is the one that
 * is there to show a secret, a webhook's to enter by hand.
 */
export async function readAllAnswers(
  { apiUrl, apiToken }: Pick<Fairlead, "apiUrl" | "apiToken">,
  params: Readonly<Record<string, readonly string[]>>,
): Promise<Record<string, string>> {
  const routes = Object.values(api)
    .filter((route) => route.method === "GET" && route.url !== api.getHook.url)
    .map((route) => route.url);
  const fill = (url: string): readonly string[] => {
    const name = /:(\w+)/.exec(url)?.[1];
    if (name === undefined) return [url];
    return (params[name] ?? []).flatMap((value) => fill(url.replace(`:${name}`, encodeURIComponent(value))));
  };
  const paths = routes.flatMap(fill);
  const answers: Record<string, string> = {};
  for (const path of [...paths, "/metrics", "/healthz", "/readyz", "/api/openapi.json"]) {
    const answer = await fetch(apiUrl + path, {
      headers: { authorization: `Bearer ${apiToken}` },
      signal: AbortSignal.timeout(30_000),
    });
    if (!answer.ok) throw new Error(`GET ${path} answered ${answer.status}`);
    answers[path] = `${JSON.stringify([...answer.headers])}\n${await answer.text()}`;
  }
  return answers;
}
