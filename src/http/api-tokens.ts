import { createHash, timingSafeEqual } from "node:crypto";
import { chmod, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../kernel/atomic-file.ts";
import { newId, randomToken } from "../kernel/ids.ts";
import { Secret } from "../kernel/secret.ts";
import type { Store } from "../store/store.ts";

const LOCAL = "local";
const SHAPE = /^flt_[\w-]{43}$/;

export interface ApiTokens {
  /** The token's name when it is a known one. */
  verify(token: string): Promise<string | null>;
}

/**
 * Makes sure that the commands of this machine have a token: `<data>/api-token`, 0600, whose hash is in the database. A file that is
 * missing, unknown to this database or readable by others is replaced, and the token it held is worthless from then on:
 * deleting the file and restarting is how the token is changed.
 */
export async function ensureApiToken(
  store: Store,
  dataDir: string,
): Promise<{ readonly path: string; readonly token: Secret }> {
  const path = join(dataDir, "api-token");
  const kept = await readPrivateToken(path);
  if (kept !== null && (await createApiTokens(store).verify(kept)) !== null)
    return { path, token: new Secret(kept) };
  const token = `flt_${randomToken(32)}`;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  // The file first: a crash in between leaves a token that opens nothing, and the next start replaces it.
  await writeFileAtomic(path, `${token}\n`, 0o600);
  await chmod(path, 0o600);
  await store.transaction(async (tx) => {
    await tx.deleteFrom("api_token").where("name", "=", LOCAL).execute();
    await tx
      .insertInto("api_token")
      .values({ id: newId("tok"), name: LOCAL, hash: hashToken(token) })
      .execute();
  });
  return { path, token: new Secret(token) };
}

async function readPrivateToken(path: string): Promise<string | null> {
  try {
    const { mode } = await stat(path);
    const token = (await readFile(path, "utf8")).trim();
    return (mode & 0o077) === 0 && SHAPE.test(token) ? token : null;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

/** Tokens have 256 random bits: a plain hash is enough, and looking one up by its hash tells nothing about others. */
export function createApiTokens(store: Store): ApiTokens {
  return {
    verify: async (token) => {
      if (!SHAPE.test(token)) return null;
      const hash = hashToken(token);
      const row = await store.db
        .selectFrom("api_token")
        .select(["name", "hash"])
        .where("hash", "=", hash)
        .executeTakeFirst();
      return row !== undefined && sameText(row.hash, hash) ? row.name : null;
    },
  };
}

function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
