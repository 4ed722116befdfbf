import type { FileHandle } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { typeOf } from "./media-types.ts";
import { findFile, openIn, parsePath, splitTarget, type FoundFile, type Site } from "./static-find.ts";
import { parseRange } from "./byte-range.ts";

/** One request to a folder of files: GET and HEAD, pages of folders, conditions, one range. Throws only when the disk does. */
export async function serveFile(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    refuse(response, 405, "Method not allowed", { allow: "GET, HEAD" });
    return;
  }
  const { path, query } = splitTarget(request.url ?? "/");
  const parts = parsePath(path);
  if (parts === null) {
    refuse(response, 400, "Bad request");
    return;
  }
  const hidden = parts.some((part) => part.startsWith(".") && part !== ".well-known");
  await using found = hidden ? null : await findFile(site, parts, path.endsWith("/"));
  if (found?.kind === "folder") {
    redirect(response, path, query);
    return;
  }
  if (found !== null) {
    await send(found, 200, request, response);
    return;
  }
  await sendMissing(site, parts, request, response);
}

async function sendMissing(
  site: Site,
  parts: readonly string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // A missing script or picture stays missing: a page in its place would be an error that is hard to find.
  const isPage = !/\.[A-Za-z0-9]+$/.test(parts.at(-1) ?? "") || /\.html?$/.test(parts.at(-1) ?? "");
  if (site.fallback !== null && isPage) {
    await using page = await openIn(site.root, join(site.root, site.fallback), "file");
    if (page !== null) {
      await send(page, 200, request, response);
      return;
    }
  }
  await using page = await openIn(site.root, join(site.root, "404.html"), "file");
  if (page === null) refuse(response, 404, "Not found");
  else await send(page, 404, request, response);
}

async function send(
  found: FoundFile,
  status: 200 | 404,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { size, mtimeMs } = found.stats;
  const tag = `"${size.toString(36)}-${Math.floor(mtimeMs * 1000).toString(36)}"`;
  const modified = new Date(Math.floor(mtimeMs / 1000) * 1000);
  const headers: Record<string, string | number> = {
    "content-type": typeOf(found.name),
    "x-content-type-options": "nosniff",
  };
  if (status === 200) {
    headers["etag"] = tag;
    headers["last-modified"] = modified.toUTCString();
    headers["cache-control"] = "no-cache";
    headers["accept-ranges"] = "bytes";
    if (isUnchanged(request, tag, modified)) {
      response.writeHead(304, headers).end();
      return;
    }
  }
  const range = status === 200 ? rangeOf(request, tag, modified, size) : null;
  if (range === "unsatisfiable") {
    response.writeHead(416, { "content-range": `bytes */${size}` }).end();
    return;
  }
  if (range !== null) headers["content-range"] = `bytes ${range.first}-${range.last}/${size}`;
  const length = range === null ? size : range.last - range.first + 1;
  headers["content-length"] = length;
  response.writeHead(range === null ? status : 206, headers);
  if (request.method === "HEAD" || length === 0) response.end();
  else await stream(found.file, range?.first ?? 0, length, response);
}

function isUnchanged(request: IncomingMessage, tag: string, modified: Date): boolean {
  const tags = request.headers["if-none-match"];
  if (tags !== undefined) {
    return tags.split(",").some((one) => ["*", tag].includes(one.trim().replace(/^W\//, "")));
  }
  const since = Date.parse(request.headers["if-modified-since"] ?? "");
  return since >= modified.getTime();
}

function rangeOf(
  request: IncomingMessage,
  tag: string,
  modified: Date,
  size: number,
): ReturnType<typeof parseRange> {
  const { range } = request.headers;
  const condition = request.headers["if-range"];
  if (range === undefined || request.method === "HEAD") return null;
  const holds =
    condition === undefined || condition === tag || Date.parse(String(condition)) === modified.getTime();
  return holds ? parseRange(range, size) : null;
}

async function stream(
  file: FileHandle,
  start: number,
  length: number,
  response: ServerResponse,
): Promise<void> {
  try {
    await pipeline(file.createReadStream({ start, end: start + length - 1, autoClose: false }), response);
  } catch {
    response.destroy(); // the reader left, or the file became shorter: either way the answer cannot be completed
  }
}

function redirect(response: ServerResponse, path: string, query: string): void {
  // One slash at the front: two would be another host.
  response.writeHead(308, { location: `/${path.replace(/^\/+/, "")}/${query}`, "content-length": 0 }).end();
}

function refuse(
  response: ServerResponse,
  status: number,
  words: string,
  headers: Record<string, string> = {},
): void {
  const body = `${words}\n`;
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    ...headers,
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}
