import { z } from "zod";
import { Fault } from "../faults/fault.ts";
import type { Answer } from "./answer.ts";
import { parseAs } from "./parse.ts";
import type { Request } from "./request.ts";
import type { Listing } from "./browse.ts";
import type { Success, Transport } from "./transport.ts";

export interface Page<T> {
  readonly items: readonly T[];
  /** There is more, but no more pages are fetched: say so. Only on the last page. */
  readonly truncated: boolean;
}

const PER_PAGE = 100;
/** What a `Link` may change of a request. Its address is not used: behind a proxy it may not be reachable, and the token must not go there. */
const PAGE_PARAMETERS = new Set([
  "page",
  "per_page",
  "id_after",
  "id_before",
  "cursor",
  "page_token",
  "pagination",
]);

/**
 * One page of a list, from a cursor that an earlier page gave. Of a cursor only what turns pages is used: it went through foreign
 * hands. With `keyset` GitLab is asked to turn pages by id; versions and lists that do not know it count pages, as a matter of course or after a 405.
 */
export async function readListing<T>(
  transport: Transport,
  request: Omit<Request, "method" | "body">,
  item: z.ZodType<T>,
  { cursor, keyset }: { readonly cursor?: string | undefined; readonly keyset?: Request["query"] } = {},
): Promise<Listing<T>> {
  const turned = cursor === undefined ? {} : pickParameters(new URLSearchParams(cursor));
  const query = { ...request.query, per_page: PER_PAGE, ...turned };
  const success = await sendFor(transport, request, query, keyset);
  const items = parseAs(z.array(item), success, request.template);
  const next = items.length === 0 ? null : nextQuery(success.headers);
  return {
    items,
    next: next && new URLSearchParams(next).toString(),
    total: toCount(success.headers["x-total"]),
  };
}

async function sendFor(
  transport: Transport,
  request: Omit<Request, "method" | "body">,
  query: Record<string, string | number | boolean>,
  keyset: Request["query"],
): Promise<Success> {
  const paged = { ...request, method: "GET", query } as const;
  if (keyset === undefined) return transport.send(paged);
  try {
    return await transport.send({ ...paged, query: { ...query, ...keyset, pagination: "keyset" } });
  } catch (error) {
    if (!(error instanceof Fault) || error.evidence.status !== 405) throw error;
    return transport.send(paged);
  }
}

function toCount(header: string | undefined): number | null {
  return /^\d{1,9}$/.test(header ?? "") ? Number(header) : null;
}

/** All pages of a list, one after the other, at most `maxPages`. */
export async function* listPages<T>(
  transport: Transport,
  request: Omit<Request, "method" | "body">,
  item: z.ZodType<T>,
  maxPages = 100,
): AsyncGenerator<Page<T>, void, void> {
  let query: Record<string, string | number | boolean> = { ...request.query, per_page: PER_PAGE };
  const seen = new Set<string>();
  for (let page = 1; ; page++) {
    const success = await transport.send({ ...request, method: "GET", query });
    const items = parseAs(z.array(item), success, request.template);
    const next = nextQuery(success.headers);
    if (!next || items.length === 0) {
      yield { items, truncated: false };
      return;
    }
    query = { ...query, ...next };
    const key = new URLSearchParams(next).toString();
    const stuck = seen.has(key) || page >= maxPages;
    seen.add(key);
    yield { items, truncated: stuck };
    if (stuck) return;
  }
}

/** The whole list. Throws `TOO_LARGE` rather than pass off a part as the whole. */
export async function listAll<T>(
  transport: Transport,
  request: Omit<Request, "method" | "body">,
  item: z.ZodType<T>,
): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const page of listPages(transport, request, item)) {
    all.push(...page.items);
    if (page.truncated) {
      const evidence = { method: "GET", pathTemplate: request.template, items: all.length };
      throw Fault.of("TOO_LARGE", "", { evidence, message: "GitLab's list is longer than is read" });
    }
  }
  return all;
}

function nextQuery(headers: Answer["headers"]): Record<string, string> | null {
  const link = /<([^<>]{1,4000})>\s*;\s*rel="?next"?/i.exec(headers["link"] ?? "")?.[1];
  if (link !== undefined && URL.canParse(link, "http://placeholder.invalid")) {
    const taken = pickParameters(new URL(link, "http://placeholder.invalid").searchParams);
    if (Object.keys(taken).length > 0) return taken;
  }
  const page = headers["x-next-page"]?.trim() ?? "";
  return /^\d{1,9}$/.test(page) ? { page } : null;
}

function pickParameters(params: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...params].filter(([name]) => PAGE_PARAMETERS.has(name)));
}
