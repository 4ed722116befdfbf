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
