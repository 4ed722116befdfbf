import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { createTestStore } from "../../test/support/database.ts";
import { dumpEverything, fillEveryTable } from "../../test/support/full-database.ts";
import { writeBackup } from "./backup.ts";
import type { Header } from "./backup-format.ts";
import { restoreBackup } from "./restore.ts";

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-restore-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Takes a good backup apart, lets `change` change its lines, and seals it again with right counts and checksum unless told not to. */
function forge(good: Buffer, change: (lines: string[]) => string[], keepFooter = false): Buffer {
  const lines = gunzipSync(good).toString().trimEnd().split("\n");
  const footer = lines.pop()!;
  const changed = change(lines);
  const body = changed.map((line) => `${line}\n`).join("");
  const rows: Record<string, number> = {};
  let table = "";
  for (const line of changed) {
    const value = JSON.parse(line.startsWith("{") || line.startsWith("[") ? line : "{}");
    if (value.tables) for (const { name } of value.tables) rows[name] = 0;
    if (typeof value.table === "string") table = value.table;
    if (Array.isArray(value)) rows[table] = (rows[table] ?? 0) + 1;
  }
  const fresh = JSON.stringify({ rows, sha256: createHash("sha256").update(body).digest("hex") });
  return gzipSync(`${body}${keepFooter ? footer : fresh}\n`);
}

function editHeader(edit: (header: Header) => unknown): (lines: string[]) => string[] {
  return ([first, ...rest]) => {
    const header: Header = JSON.parse(first!);
    edit(header);
    return [JSON.stringify(header), ...rest];
  };
}

const insertRow = (table: string, row: unknown) => (lines: string[]) => {
  const at = lines.indexOf(JSON.stringify({ table }));
  return [...lines.slice(0, at + 1), JSON.stringify(row), ...lines.slice(at + 1)];
};

const HOSTILE: Record<string, (good: Buffer) => Buffer> = {
  "an empty file": () => Buffer.alloc(0),
  "empty gzip": () => gzipSync(""),
  text: () => Buffer.from("hello"),
  "another program's gzip": () => gzipSync("create table app (id int);\n"),
  "gzip of JSON of something else": () => gzipSync('{"format":"other"}\n'),
  "a newer format": (good) =>
    forge(
      good,
      editHeader((header) => Object.assign(header, { version: 2 })),
    ),
  "a newer schema": (good) =>
    forge(
      good,
      editHeader((header) => header.schema.push("9999-future")),
    ),
  "the first half": (good) => good.subarray(0, good.length / 2),
  "all but the last byte": (good) => good.subarray(0, -1),
  "all but the end": (good) =>
    gzipSync(gunzipSync(good).toString().trimEnd().split("\n").slice(0, -1).join("\n") + "\n"),
  "a cut last line": (good) => gzipSync(gunzipSync(good).subarray(0, -2)),
  "a flipped bit in the content": (good) => {
    const plain = gunzipSync(good);
    plain[Math.floor(plain.length / 2)]! ^= 1;
    return gzipSync(plain);
  },
  "a lost row": (good) => forge(good, (lines) => lines.filter((line) => !line.includes('dlv7"')), true),
  "rows after the end": (good) => gzipSync(Buffer.concat([gunzipSync(good), Buffer.from("[]\n")])),
  "an unknown table": (good) => forge(good, (lines) => [...lines, '{"table":"pg_authid"}', '["x"]']),
  "a table named like an object's property": (good) =>
    forge(good, (lines) => [...lines, '{"table":"constructor"}', "[]"]),
  "an extra table in its header": (good) =>
    forge(
      good,
      editHeader((header) => header.tables.push({ name: "pg_authid", columns: ["x"] })),
    ),
  "a missing table": (good) =>
    forge(good, (lines) =>
      editHeader((header) => (header.tables = header.tables.filter((table) => table.name !== "log_chunk")))(
        lines
          .filter((line) => !line.includes("log_chunk") || line.startsWith('{"format"'))
          .filter((line) => !line.startsWith('["dep","')),
      ),
    ),
  "a column that is SQL": (good) =>
    forge(
      good,
      editHeader((header) => (header.tables[0]!.columns[0] = 'id") select 1; drop table app; --')),
    ),
  "a column twice": (good) =>
    forge(
      good,
      editHeader((header) => header.tables[0]!.columns.push(header.tables[0]!.columns[0]!)),
    ),
  "a short row": (good) => forge(good, insertRow("api_token", ["a"])),
  "a row with a number": (good) => forge(good, insertRow("api_token", ["a", 1, "h", "now", null])),
  "a row that breaks a check": (good) =>
    forge(good, insertRow("log_chunk", ["dep", "no number", "2026-01-01", "x"])),
  "a row that refers to nothing": (good) =>
    forge(good, insertRow("log_chunk", ["nothing", "1", "2026-01-01", "x"])),
  "a row twice": (good) =>
    forge(good, (lines) => lines.flatMap((line) => (line.startsWith('["dep","1"') ? [line, line] : [line]))),
  "an unknown sequence": (good) =>
    forge(
      good,
      editHeader((header) => header.sequences.push({ name: "x; drop table app", next: "1" })),
    ),
  "a missing sequence": (good) =>
    forge(
      good,
      editHeader((header) => header.sequences.pop()),
    ),
  "a sequence out of range": (good) =>
    forge(
      good,
      editHeader((header) => (header.sequences[0]!.next = "0")),
    ),
  "a character that PostgreSQL cannot hold": (good) => forge(good, insertRow("setting", ["a\u0000b", "1"])),
};

test("bad files are refused, each for itself, and change nothing", async () => {
  await using from = await createTestStore();
  await using to = await createTestStore();
  const file = join(await makeFolder(), "backup");
  await fillEveryTable(from);
  await writeBackup(from, file, { fairleadVersion: "0.1.0" });
  const good = await readFile(file);
  const empty = await dumpEverything(to);
  for (const [name, spoil] of Object.entries(HOSTILE)) {
    await writeFile(file, spoil(good));
    const refusal: unknown = await restoreBackup(to, file).catch((error: unknown) => error);
    expect({ name, refusal, after: await dumpEverything(to) }).toMatchObject({
      name,
      refusal: { code: "BACKUP_INVALID" },
      after: empty,
    });
  }
  // the same file, taken apart and put together again without a change, is still good
  await writeFile(
    file,
    forge(good, (lines) => lines),
  );
  await restoreBackup(to, file);
  expect(await dumpEverything(to)).toEqual(await dumpEverything(from));
});

test("a file that is not there or is a folder is refused", async () => {
  await using store = await createTestStore();
  const folder = await makeFolder();
  await expect(restoreBackup(store, join(folder, "none"))).rejects.toMatchObject({ code: "BACKUP_INVALID" });
  await expect(restoreBackup(store, folder)).rejects.toMatchObject({ code: "BACKUP_INVALID" });
});
