import { readFile } from "node:fs/promises";
import type { NetworkInput } from "../gitlab/parse-network.ts";
import type { TokenOptions } from "./connection-commands.ts";
import { UsageError } from "./failure.ts";

/** For an option that may be given more than once. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** The options of how a GitLab is reached, files read. What they hold is judged where it is used. */
export async function readNetwork(options: TokenOptions): Promise<NetworkInput> {
  const { ca, proxy, clientCert, clientKey, header = [] } = options;
  return {
    ...(ca === undefined ? {} : { ca: await readPem(ca) }),
    ...(proxy === undefined ? {} : { proxy: await readValue(proxy) }),
    ...(clientCert === undefined ? {} : { clientCert: await readPem(clientCert) }),
    ...(clientKey === undefined ? {} : { clientKey: await readText(clientKey) }),
    ...(header.length === 0
      ? {}
      : { headers: Object.fromEntries((await Promise.all(header.map(readHeader))).flat()) }),
  };
}

/** `@FILE` holds one header a line: a value in a command line is seen by everybody on the machine. */
async function readHeader(given: string): Promise<[string, string][]> {
  const lines = given.startsWith("@") ? (await readText(given.slice(1))).split("\n") : [given];
  return lines
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, name, value] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line.trim()) ?? [];
      if (name === undefined || value === undefined) {
        throw new UsageError("A header is given as NAME: VALUE, or as @FILE with one a line.");
      }
      return [name, value];
    });
}

async function readValue(given: string): Promise<string> {
  return given.startsWith("@") ? (await readText(given.slice(1))).trim() : given;
}

async function readPem(path: string): Promise<string> {
  const text = await readText(path);
  if (!text.includes("-----BEGIN CERTIFICATE-----"))
    throw new UsageError(`${path} holds no PEM certificate.`);
  return text;
}

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw new UsageError(`The file ${path} cannot be read.`, { cause: error });
  });
}
