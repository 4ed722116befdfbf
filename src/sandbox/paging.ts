import { refuseAsError, ok, type Reply } from "./reply.ts";
import type { Call } from "./route.ts";

const DEFAULT_PER_PAGE = 20;
const MAX_PER_PAGE = 100;
/** Above this many rows GitLab stops counting for the client (11.8+). */
const COUNT_LIMIT = 10_000;

export interface PageOptions {
  /** False: this endpoint never tells totals. */
  readonly totals?: boolean;
}

/** Answers one page of rows with GitLab's offset headers. Only the rows of the page are made into JSON. */
export async function paged<Row>(
  call: Call,
  rows: readonly Row[],
  present: (row: Row) => unknown,
  options: PageOptions = {},
): Promise<Reply> {
  const page = pageNumber(call, "page", 1);
  const perPage = Math.min(pageNumber(call, "per_page", DEFAULT_PER_PAGE), MAX_PER_PAGE);
  const slice = rows.slice((page - 1) * perPage, page * perPage);
  const last = Math.max(1, Math.ceil(rows.length / perPage));
  const counted = (options.totals ?? true) && rows.length <= COUNT_LIMIT;
  const next = page < last ? page + 1 : null;
  const previous = page > 1 ? page - 1 : null;
  const link = (to: number, rel: string): string => `<${linkTo(call, to, perPage)}>; rel="${rel}"`;
  const links = [
    ...(previous === null ? [] : [link(previous, "prev")]),
    ...(next === null ? [] : [link(next, "next")]),
    link(1, "first"),
    ...(counted ? [link(last, "last")] : []),
  ];
  return ok(await Promise.all(slice.map(present)), {
    "X-Page": String(page),
    "X-Per-Page": String(perPage),
    "X-Next-Page": next === null ? "" : String(next),
    "X-Prev-Page": previous === null ? "" : String(previous),
    ...(counted ? { "X-Total": String(rows.length), "X-Total-Pages": String(last) } : {}),
    Link: links.join(", "),
  });
}

/**
 * One page after the row that `token` names, with the one header that Gitaly's keyset pages have. A token that names no row begins
 * nothing: the page is empty.
 */
export async function keysetPage<Row>(
  call: Call,
  rows: readonly Row[],
  token: string | undefined,
  tokenOf: (row: Row) => string,
  present: (row: Row) => unknown,
): Promise<Reply> {
  const perPage = Math.min(pageNumber(call, "per_page", DEFAULT_PER_PAGE), MAX_PER_PAGE);
  const at = token === undefined || token === "" ? -1 : rows.findIndex((row) => tokenOf(row) === token);
  const begin = at === -1 && token ? rows.length : at + 1;
  const slice = rows.slice(begin, begin + perPage);
  const last = slice.at(-1);
  const more = last !== undefined && begin + perPage < rows.length;
  const query = new URLSearchParams(call.query);
  query.delete("private_token");
  query.delete("page");
  if (more) query.set("page_token", tokenOf(last));
  return ok(
    await Promise.all(slice.map(present)),
    more ? { Link: `<${call.url}?${query.toString()}>; rel="next"` } : {},
  );
}

function pageNumber(call: Call, name: string, fallback: number): number {
  const given = call.query.get(name) ?? call.input[name];
  if (given === undefined || given === null || given === "") return fallback;
  const text = typeof given === "string" ? given : JSON.stringify(given);
  if (!/^-?\d{1,9}$/.test(text)) throw refuseAsError(400, `${name} is invalid`);
  const value = Number(text);
  if (name === "per_page" && value === 0) throw refuseAsError(400, "per_page has a value not allowed");
  return value > 0 ? value : fallback;
}

function linkTo(call: Call, page: number, perPage: number): string {
  const query = new URLSearchParams(call.query);
  query.delete("private_token");
  query.set("page", String(page));
  query.set("per_page", String(perPage));
  return `${call.url}?${query.toString()}`;
}
