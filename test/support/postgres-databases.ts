import { randomBytes } from "node:crypto";
import { Client } from "pg";

/** Makes a database with a random name, as a clone of `template` when given, and returns its name. */
export async function createDatabase(address: string, template?: string): Promise<string> {
  const name = `fairlead_test_${randomBytes(8).toString("hex")}`;
  await administer(
    address,
    `create database ${name} ${template === undefined ? "" : `template ${template}`}`,
  );
  return name;
}

export async function dropDatabase(address: string, name: string): Promise<void> {
  await administer(address, `drop database if exists ${name} with (force)`);
}

/** The address of another database of the same server. */
export function databaseAddress(address: string, name: string): string {
  return address.replace(/^(postgres(?:ql)?:\/\/[^/]*\/)[^?]*/u, `$1${name}`);
}

async function administer(address: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: address });
  client.on("error", () => {}); // the statement has failed as well
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
