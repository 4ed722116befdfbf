import { Fault, toFault } from "../faults/fault.ts";
import { contentSchema, treeEntrySchema } from "./browse-schemas.ts";
import type { FileContent } from "./browse.ts";
import type { Call } from "./gitlab.ts";
import { listPages } from "./pages.ts";
import { parseAs } from "./parse.ts";
import { projectSchema } from "./schemas.ts";
import type { Transport } from "./transport.ts";

interface Place {
  readonly id: number;
  readonly path: string;
  readonly ref: string;
}

/**
 * One file whole. A proxy that decodes `%2F` makes the address of a file in a folder unknown: the blob is looked for in the folder then, whose
 * name travels in the query.
 */
export async function findFile(transport: Transport, place: Place, call?: Call): Promise<FileContent | null> {
  const { id, path, ref } = place;
  // As a segment of an address these mean another address.
  if (path.split("/").some((part) => part === "" || part === "." || part === "..")) return null;
  const template = "/projects/:id/repository/files/:path";
  try {
    const request = { method: "GET", template, params: { id, path }, query: { ref }, ...call } as const;
    return toContent(path, parseAs(contentSchema, await transport.send(request), template));
  } catch (error) {
    const fault = toFault(error);
    // In the words of GitLab's files API; "404 Commit Not Found" is an unknown ref or an empty repository.
    if (fault.is("NOT_FOUND") && fault.evidence.words === "404 File Not Found") return null;
    if (fault.is("NOT_GITLAB", "wrong_path") && path.includes("/")) return findBlob(transport, place, call);
    throw await refineRepository(transport, id, fault, call);
  }
}

async function findBlob(
  transport: Transport,
  { id, path, ref }: Place,
  call?: Call,
): Promise<FileContent | null> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const tree = { template: "/projects/:id/repository/tree", params: { id }, query: { ref, path: folder } };
  for await (const { items } of listPages(transport, { ...tree, ...call }, treeEntrySchema)) {
    const entry = items.find((one) => one.path === path);
    if (!entry) continue;
    if (entry.type !== "blob") return null;
    const template = "/projects/:id/repository/blobs/:sha";
    const request = { method: "GET", template, params: { id, sha: entry.sha }, ...call } as const;
    return toContent(path, parseAs(contentSchema, await transport.send(request), template));
  }
  return null;
}

function toContent(path: string, { content }: { readonly content: string }): FileContent {
  return { path, content: new Uint8Array(Buffer.from(content, "base64")) };
}

/**
 * A refusal that the project explains. A tree or file of an empty repository is a plain 404 in GitLab's words, of a repository that is switched
 * off a plain 403 (`repositories.rb`, `files.rb`).
 */
export async function refineRepository(
  transport: Transport,
  id: number,
  thrown: unknown,
  call?: Call,
): Promise<Fault> {
  const fault = toFault(thrown);
  if (fault.evidence["limitBytes"] !== undefined) {
    return Fault.of("TOO_LARGE", "", {
      evidence: fault.evidence,
      message: "The file is larger than is read",
    });
  }
  if (!fault.is("NOT_FOUND") && !fault.is("INSUFFICIENT_ROLE")) return fault;
  const template = "/projects/:id";
  try {
    const success = await transport.send({ method: "GET", template, params: { id }, ...call });
    const project = parseAs(projectSchema, success, template);
    const { evidence } = fault;
    if (project.repositoryDisabled) return Fault.of("REPOSITORY_DISABLED", "", { evidence });
    if (project.emptyRepo && fault.is("NOT_FOUND")) return Fault.of("REPOSITORY_EMPTY", "", { evidence });
    return fault;
  } catch {
    return fault; // the refusal is the news, not that its reason could not be read
  }
}
