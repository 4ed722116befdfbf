import type { Box } from "../box.ts";
import { RunError } from "../../kernel/run.ts";
import { readHead, remoteOf } from "../git/remote.ts";
import type { Source } from "../imports.ts";
import { refuse } from "../reply.ts";
import { outboundPolicy } from "../webhooks/policy.ts";
import { judgeUrl } from "../webhooks/url-blocker.ts";

const UNREACHABLE = "Unable to access repository with the URL and credentials provided";
const SCHEMES = new Set(["http:", "https:", "git:"]);

/** Whether projects may be imported that way: an administrator's choice; all are off on a fresh GitLab since 16.0. */
export function importSourceEnabled({ state, version }: Box, name: string): boolean {
  const enabled = state.settings.importSources;
  return enabled === null ? !version.has("importSourcesOff") : enabled.includes(name);
}

/** What stands behind an `import_url`. Throws the refusals of GitLab's look at the network, which come before all others (§9.1). */
export async function openImport(box: Box, url: string): Promise<Source> {
  const tried = box.version.has("importUrlIsTried");
  if (!URL.canParse(url) || !SCHEMES.has(new URL(url).protocol) || /[\r\n\0]/.test(url)) {
    if (tried) throw refuse(422, `${url} is not a valid URL`);
    throw refuse(400, { import_url: ["is blocked: Only allowed schemes are http, https, git"] });
  }
  const reason = await blockedReason(box, url);
  if (reason !== null) {
    if (box.version.has("blockedImportIsUnprocessable")) throw refuse(422, reason);
    throw refuse(400, { import_url: [`is blocked: ${reason}`] });
  }
  const remote = remoteOf(url);
  if (!tried) return { type: "git", remote };
  if (box.state.faults.imports.unreachable) throw refuse(422, UNREACHABLE);
  try {
    await readHead(box.repositories, remote, box.ending);
    return { type: "git", remote };
  } catch (error) {
    if (error instanceof RunError) throw refuse(422, UNREACHABLE);
    throw error;
  }
}

async function blockedReason(box: Box, url: string): Promise<string | null> {
  if (box.state.faults.imports.blocked) return "Requests to the local network are not allowed";
  const { port } = new URL(url);
  if (port !== "" && port !== "80" && port !== "443" && Number(port) <= 1024) {
    return "Only allowed ports are 80, 443, and any over 1024";
  }
  const asWeb = url.replace(/^git:/i, "http:");
  return (await judgeUrl(asWeb, outboundPolicy(box, "save"))).blocked;
}
