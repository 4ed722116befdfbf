import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { createGunzip } from "node:zlib";
import { z } from "zod";
import { Fault } from "../faults/fault.ts";
import { Footer, Header, LINE_LIMIT, Row, TableLine } from "./backup-format.ts";

const OtherLine = z.union([TableLine, Footer]);

/** What a reader is told, in the order of the file. */
export interface BackupReader {
  onHeader?(header: Header): Promise<void> | void;
  onRow?(table: string, row: Row): Promise<void> | void;
}

/**
 * Reads a whole backup and checks it: form, counts, checksum. Throws `BACKUP_INVALID` for a file that is cut, changed, foreign or not
 * readable. What `reader` was told before that must be undone by the caller. The checksum finds accidents, not forgers.
 */
export async function readBackup(path: string, reader: BackupReader = {}): Promise<Header> {
  const check = createCheck(reader);
  for await (const line of readLines(path)) await check.take(line);
  return check.end();
}

interface Check {
  take(line: string): Promise<void>;
  end(): Header;
}

function createCheck(reader: BackupReader): Check {
  const hash = createHash("sha256");
  const rows = new Map<string, number>();
  const widths = new Map<string, number>();
  let header: Header | null = null;
  let table = "";
  let ended = false;

  const takeHeader = async (value: unknown): Promise<void> => {
    header = parse(Header, value, "its first line is no header of a Fairlead backup");
    for (const { name, columns } of header.tables) {
      rows.set(name, 0);
      widths.set(name, columns.length);
    }
    await reader.onHeader?.(header);
  };

  const takeRow = async (value: unknown): Promise<void> => {
    const row = parse(Row, value, "a row is malformed");
    if (widths.get(table) !== row.length) throw invalid(`a row of ${table} has ${row.length} values`);
    rows.set(table, (rows.get(table) ?? 0) + 1);
    await reader.onRow?.(table, row);
  };

  const takeOther = (value: unknown): void => {
    const line = parse(OtherLine, value, "a line is neither a row, a table nor the end");
    if ("table" in line) {
      if (!rows.has(line.table))
        throw invalid(`the table ${JSON.stringify(line.table)} is not in its header`);
      table = line.table;
    } else {
      compare(line, rows, hash.copy().digest("hex"));
      ended = true;
    }
  };

  return {
    async take(line) {
      if (ended) throw invalid("something follows its end");
      const value = parseJson(line);
      if (header === null) await takeHeader(value);
      else if (Array.isArray(value)) await takeRow(value);
      else takeOther(value);
      hash.update(line).update("\n");
    },
    end() {
      if (header === null || !ended) throw invalid("it is cut off");
      return header;
    },
  };
}

export interface BackupFacts {
  readonly fairlead: string;
  readonly madeAt: string;
  /** The last migration of its database, to open the database for it with. */
  readonly schema: string;
  readonly keyFingerprint: string | null;
  readonly includesKey: boolean;
}

/** What the header says, without checking the rest. Throws `BACKUP_INVALID`. */
export async function readBackupFacts(path: string): Promise<BackupFacts> {
  for await (const line of readLines(path)) {
    const header = parse(Header, parseJson(line), "its first line is no header of a Fairlead backup");
    const { fairlead, madeAt, keyFingerprint } = header;
    return {
      fairlead,
      madeAt,
      keyFingerprint,
      schema: header.schema.at(-1) ?? "",
      includesKey: header.key !== undefined,
    };
  }
  throw invalid("it is empty");
}

async function* readLines(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const gunzip = createGunzip();
  file.once("error", (error) => gunzip.destroy(error));
  const decoder = new StringDecoder("utf8");
  let partial = "";
  try {
    for await (const chunk of file.pipe(gunzip)) {
      const lines = (partial + decoder.write(chunk)).split("\n");
      partial = lines.pop() ?? "";
      if (partial.length > LINE_LIMIT) throw invalid("a line is too long");
      yield* lines;
    }
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw classify(cause, path);
  } finally {
    file.destroy();
    gunzip.destroy();
  }
  if (partial !== "") throw invalid("it is cut off");
}

/** Errors of the file and of zlib; others come from the reader's own work and stay what they are. */
function classify(cause: unknown, path: string): unknown {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code.startsWith("Z_")) return invalid("it is not gzip, or it is damaged", cause);
  if (["ENOENT", "EACCES", "EISDIR", "EPERM", "ENOTDIR"].includes(code)) {
    return invalid(`${path} cannot be read (${code})`, cause);
  }
  return cause;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw invalid("a line is not JSON", cause);
  }
}

function parse<S extends z.ZodType>(schema: S, value: unknown, trouble: string): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(trouble, result.error);
}

function compare(footer: Footer, rows: ReadonlyMap<string, number>, sha256: string): void {
  if (footer.sha256 !== sha256) throw invalid("its checksum is wrong");
  const counted = new Map(Object.entries(footer.rows));
  const same =
    counted.size === rows.size && [...rows].every(([table, count]) => counted.get(table) === count);
  if (!same) throw invalid("its row counts are wrong");
}

export function invalid(trouble: string, cause?: unknown): Fault {
  return Fault.of("BACKUP_INVALID", "", {
    message: `this backup cannot be used: ${trouble}`,
    ...(cause === undefined ? {} : { cause }),
  });
}
