import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../src/store/open.ts";
import { renderRows } from "./render-rows.ts";

/** `npm run store:types`: writes src/store/rows.ts from a database that is made and migrated for it. */
const folder = await mkdtemp(join(tmpdir(), "fairlead-types-"));
try {
  await using store = await openStore({ embedded: { dataFolder: folder } });
  await writeFile(new URL("../../src/store/rows.ts", import.meta.url), await renderRows(store.db));
} finally {
  await rm(folder, { recursive: true, force: true });
}
