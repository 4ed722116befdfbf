import { refuseAsError, ok, type Reply } from "./reply.ts";
import type { Call } from "./route.ts";

const DEFAULT_PER_PAGE = 20;
const MAX_PER_PAGE = 100;
/** Above this many rows GitLab stops counting for the client (11.8+). */
const COUNT_LIMIT = 10_000;
const OFFSET_LIMIT = 50_000;

export interface PageOptions {
  /** False: this endpoint never tells totals. */
  readonly totals?: boolean;
  /** What GitLab calls the rows of a list that it does not page through to any depth (13.0+). */
  readonly limitedType?: string;
  /** Parameters that GitLab writes into links although nobody sent them. */
  readonly defaults?: Readonly<Record<string, string | number | boolean>>;
}

/** Answers one page of rows with GitLab's offset headers. Only the rows of the page are made into JSON. */
export async function paged<Row>(
  call: Call,
  rows: readonly Row[],
  present: (row: Row) => unknown,
  options: PageOptions = {},
): Promise<Reply> {
  const page = pageNumber(call, "page", 1);
  const perPage = pageSize(call);
  checkOffset(call, page * perPage, options.limitedType);
  const slice = rows.slice((page - 1) * perPage, page * perPage);
  const last = Math.max(1, Math.ceil(rows.length / perPage));
  const many = rows.length > COUNT_LIMIT && call.box.version.has("countLimit");
  const counted = (options.totals ?? true) && !many;
  const next = page < last ? page + 1 : null;
  const previous = page > 1 && page <= last ? page - 1 : null;
  const targets = { prev: previous, next, first: 1, last: counted ? last : null };
  return ok(await Promise.all(slice.map(present)), {
    "X-Page": String(page),
    "X-Per-Page": String(perPage),
    "X-Next-Page": String(next ?? ""),
    "X-Prev-Page": String(previous ?? ""),
    ...(counted ? { "X-Total": String(rows.length), "X-Total-Pages": String(last) } : {}),
    Link: linksTo(call, targets, perPage, { ...options.defaults }),
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
  const perPage = pageSize(call);
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

function linksTo(
  call: Call,
  targets: Readonly<Record<string, number | null>>,
  perPage: number,
  defaults: Readonly<Record<string, string | number | boolean>>,
): string {
  return Object.entries(targets)
    .filter(([, page]) => page !== null)
    .map(([rel, page]) => `<${linkTo(call, defaults, { page: page ?? 1, per_page: perPage })}>; rel="${rel}"`)
    .join(", ");
}

export interface Keyset<Row> {
  /** The parameter that says where the next page begins. */
  readonly parameter: string;
  readonly valueOf: (row: Row) => string | number;
}

/**
 * Answers the first rows and where to go on: the rows are those after the last page already. There is a link after every page that is
 * not empty, a full last one included; totals are never told.
 */
export async function keysetPaged<Row>(
  call: Call,
  rows: readonly Row[],
  present: (row: Row) => unknown,
  keyset: Keyset<Row>,
  defaults: PageOptions["defaults"] = {},
): Promise<Reply> {
  const perPage = pageSize(call);
  const slice = rows.slice(0, perPage);
  const last = slice.at(-1);
  if (last === undefined) return ok([]);
  const onward = { per_page: perPage, [keyset.parameter]: keyset.valueOf(last) };
  const link = `<${linkTo(call, { ...defaults }, onward, ["page"])}>; rel="next"`;
  const old = call.box.version.has("noLinksHeader") ? {} : { Links: link };
  return ok(await Promise.all(slice.map(present)), { Link: link, ...old });
}

/** Whether the request asks for keyset pages where there are some; 405 where this version has them in another order only. */
export function asksForKeyset(call: Call, available: boolean): boolean {
  if (call.input["pagination"] !== "keyset") return false;
  if (!available) throw refuseAsError(405, "Keyset pagination is not yet available for this type of request");
  return true;
}

function checkOffset(call: Call, rows: number, type: string | undefined): void {
  if (type === undefined || rows <= OFFSET_LIMIT || !call.box.version.has("offsetLimit")) return;
  const words = `Offset pagination has a maximum allowed offset of ${OFFSET_LIMIT} for requests that return objects of type ${type}. Remaining records can be retrieved using keyset pagination.`;
  throw refuseAsError(405, words);
}

function pageSize(call: Call): number {
  return Math.min(pageNumber(call, "per_page", DEFAULT_PER_PAGE), MAX_PER_PAGE);
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

/** GitLab writes all parameters of a request into its links, sorted by name: those of the path and those with a default, too. */
function linkTo(
  call: Call,
  defaults: Readonly<Record<string, string | number | boolean>>,
  own: Readonly<Record<string, string | number>>,
  without: readonly string[] = [],
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...defaults, ...call.path })) query.set(name, String(value));
  for (const name of new Set(call.query.keys())) {
    query.delete(name);
    for (const value of call.query.getAll(name)) query.append(name, value);
  }
  for (const [name, value] of Object.entries(own)) query.set(name, String(value));
  for (const name of ["private_token", "access_token", ...without]) query.delete(name);
  query.sort();
  return `${call.url}?${query.toString()}`;
}
