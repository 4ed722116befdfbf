import type { IncomingMessage } from "node:http";
import type { Box } from "../box.ts";
import type { Reply } from "../reply.ts";

const READS = new Set(["GET", "HEAD", "OPTIONS"]);
const TOLD_THE_TRUTH = new Set(["application/json", "application/vnd.git-lfs+json"]);

/**
 * What maintenance mode and a read-only database say to a write; null when GitLab takes it. Clients that speak JSON are told the truth,
 * everybody else is sent to where they came from, or to the front page.
 */
export function refuseWrite(box: Box, request: IncomingMessage): Reply | null {
  const { maintenance, readOnly } = box.state.faults;
  if ((!maintenance && !readOnly) || READS.has(request.method ?? "")) return null;
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  if (!TOLD_THE_TRUTH.has(type)) {
    return { status: 301, headers: { Location: request.headers.referer ?? `${box.url}/` } };
  }
  if (maintenance) {
    const headers = { "Retry-After": "900" };
    return { status: 503, json: { message: box.state.settings.maintenanceMessage }, headers };
  }
  return {
    status: 403,
    json: { message: "You cannot perform write operations on a read-only instance" },
  };
}
