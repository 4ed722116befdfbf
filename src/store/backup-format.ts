import { z } from "zod";

/**
 * A backup is gzip of lines of JSON: a header, for each table `{"table":…}` and its rows, and a footer. A row is a list of PostgreSQL's
 * own texts in the order of the header's columns, which any version reads back exactly: bytea, microseconds, bigint, arrays.
 */
export const FORMAT = "fairlead-backup";
const FORMAT_VERSION = 1;

/** Longest line in characters. Stored payloads are at most 1 MB. */
export const LINE_LIMIT = 64 * 1024 * 1024;

export const Header = z.object({
  format: z.literal(FORMAT),
  version: z.literal(FORMAT_VERSION),
  /** Of the Fairlead that made it. */
  fairlead: z.string(),
  madeAt: z.string(),
  /** The names of all migrations that its database has had. */
  schema: z.array(z.string()),
  /** Which key the secrets in it are encrypted with. */
  keyFingerprint: z.string().nullable(),
  /** The text of the key file, only when it was asked for. */
  key: z.string().optional(),
  tables: z.array(z.object({ name: z.string(), columns: z.array(z.string()) })),
  /** The number that each gives next; text, since it may be larger than a JavaScript number is exact. */
  sequences: z.array(z.object({ name: z.string(), next: z.string().regex(/^\d{1,19}$/u) })),
});
export type Header = z.infer<typeof Header>;

export const TableLine = z.object({ table: z.string() });
export const Row = z.array(z.string().nullable());
export type Row = z.infer<typeof Row>;

export const Footer = z.object({
  /** Rows by table. */
  rows: z.record(z.string(), z.number().int()),
  /** Of all bytes before the footer's line, hexadecimal. */
  sha256: z.string(),
});
export type Footer = z.infer<typeof Footer>;

export function makeHeader(facts: Omit<Header, "format" | "version">): Header {
  return { format: FORMAT, version: FORMAT_VERSION, ...facts };
}
