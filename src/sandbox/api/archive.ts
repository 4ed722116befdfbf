import { ARCHIVE_FORMATS, readArchive, type ArchiveFormat } from "../git/archive.ts";
import { resolveCommit } from "../git/read.ts";
import { isFilePath } from "../git/write.ts";
import { text } from "../params.ts";
import { countAgainst } from "../rate-limits.ts";
import { notFound, refuse, Refusal, type Reply } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project } from "../state.ts";
import { getReadable } from "./find-project.ts";

const path = "/projects/:id/repository/archive";
const LIMIT = "project_repositories_archive";

function archiveRoute(suffix: string, format: ArchiveFormat | null): Route {
  return route({
    method: "GET",
    path: path + suffix,
    authenticate: "lazily",
    params: { sha: text.optional(), path: text.optional(), format: text.optional() },
    handle: async (call, given) => {
      const project = getReadable(call, "forbidden");
      limit(call);
      if (isHotlink(call)) throw refuse(406, "406 Not Acceptable");
      const wanted = format ?? ARCHIVE_FORMATS.find((known) => known === given.format) ?? "tar.gz";
      return sendArchive(call, project, wanted, given);
    },
  });
}

export const archiveRoutes: readonly Route[] = [
  archiveRoute("", null),
  ...ARCHIVE_FORMATS.map((format) => archiveRoute(`.${format}`, format)),
];

/** GitLab allows five in a minute for each user and project, and says so in words of its own. */
function limit(call: Call): void {
  const error = "This archive has been requested too many times. Try again later.";
  if (call.box.state.faults.archivesLimited) throw refuse(429, { error });
  try {
    countAgainst(call, LIMIT, 60);
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    throw new Refusal({ ...refusal.reply, json: { message: { error } } });
  }
}

/** A page of somebody else's that embeds the archive: what browsers say of themselves gives it away. */
function isHotlink(call: Call): boolean {
  return ["cors", "no-cors", "websocket"].includes(call.header("sec-fetch-mode") ?? "");
}

/** Whatever goes wrong in there is the same 404. */
async function sendArchive(
  call: Call,
  project: Project,
  format: ArchiveFormat,
  given: { readonly sha?: string | undefined; readonly path?: string | undefined },
): Promise<Reply> {
  const { repositories } = call.box;
  const ref = given.sha ?? project.defaultBranch;
  const folder = (given.path ?? "").replace(/\/+$/, "");
  if (folder !== "" && !isFilePath(folder)) throw notFound("File");
  const commit = await resolveCommit(repositories, project, ref);
  if (commit === null) throw notFound("File");
  const parts = [project.path, ref, ...(ref === commit ? [] : [commit]), ...(folder === "" ? [] : [folder])];
  const prefix = parts.map((part) => part.replaceAll("/", "-")).join("-");
  const bytes = await readArchive(repositories, project, { commit, folder, prefix, format });
  if (!bytes) throw notFound("File");
  return {
    status: 200,
    text: bytes,
    contentType: format === "zip" ? "application/zip" : "application/octet-stream",
    headers: {
      "Content-Disposition": `attachment; filename="${prefix.replaceAll(/["\\]/g, "_")}.${format}"`,
      "Content-Transfer-Encoding": "binary",
      "Cache-Control": "private",
    },
  };
}
