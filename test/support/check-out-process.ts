import { Secret } from "../../src/kernel/secret.ts";
import { openSource } from "../../src/source/open.ts";

/** A worker of its own: does one checkout, described on standard input as JSON, and prints how it ended. */
const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const { dataDir, token, url, key, ...request } = JSON.parse(Buffer.concat(chunks).toString()) as {
  dataDir: string;
  token: string;
  url: string;
  key: string;
  commit: string;
  workspace: string;
  fence: { deploymentId: string; attempt: number };
};
const source = await openSource({ dataDir });
try {
  await source.checkOut({
    ...request,
    remote: { key, url, token: new Secret(token) },
    signal: AbortSignal.timeout(60_000),
    onLine: () => {},
  });
  process.stdout.write("done\n");
} catch (error) {
  process.stdout.write(`${(error as { code?: string }).code ?? String(error)}\n`);
}
