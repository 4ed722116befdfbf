import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  holdersOf,
  makeFolder,
  query,
  queryUntilAnswered,
  startChild,
} from "../../../test/support/embedded-server.ts";
import { Fault } from "../../faults/fault.ts";
import { deadline } from "../../kernel/clock.ts";
import { waitUntil } from "../../kernel/retry.ts";
import { launch } from "../../kernel/run.ts";
import { startEmbedded } from "./supervise.ts";

test("what is written is there after a stop and a start; a stop leaves no process and no socket folder", async () => {
  const dataFolder = await makeFolder();
  let sockets = "";
  {
    await using server = await startEmbedded({ dataFolder });
    sockets = new URL(server.connectionString).searchParams.get("host") ?? "";
    await query(server.connectionString, "create table kept as select 7 as n");
    expect((await holdersOf(dataFolder)).length).toBeGreaterThan(1);
    expect((await stat(sockets)).mode & 0o777).toBe(0o700);
    expect(await query(server.connectionString, "select current_setting('fsync') as fsync")).toEqual([
      { fsync: "on" },
    ]);
    expect(
      await query(
        server.connectionString,
        "select datcollate, datlocprovider, datlocale, pg_encoding_to_char(encoding) from pg_database where datname = 'fairlead'",
      ),
    ).toEqual([{ datcollate: "C", datlocprovider: "b", datlocale: "C.UTF-8", pg_encoding_to_char: "UTF8" }]);
  }
  expect(await holdersOf(dataFolder)).toEqual([]);
  await expect(stat(sockets)).rejects.toThrow(/ENOENT/u);
  await using again = await startEmbedded({ dataFolder });
  expect(await query(again.connectionString, "select n from kept")).toEqual([{ n: 7 }]);
});

test("the address of another database in the person's environment is not taken for ours", async () => {
  const dataFolder = await makeFolder();
  const { answer } = await startChild(dataFolder, undefined, {
    PGHOST: "db.example.com",
    PGPORT: "6543",
    PGUSER: "somebody",
    PGDATABASE: "other",
    PGSSLMODE: "require",
  });
  expect(answer).toMatchObject({ address: expect.stringContaining("/fairlead?") });
});

test("a killed server is started again under a running Fairlead, and nothing that was acknowledged is lost", async () => {
  const dataFolder = await makeFolder();
  await using server = await startEmbedded({ dataFolder });
  await query(server.connectionString, "create table acked (n int)");
  for (let round = 1; round <= 3; round++) {
    await query(server.connectionString, `insert into acked values (${round})`);
    const killed = server.pid()!;
    process.kill(killed, "SIGKILL");
    await waitUntil(() => server.pid() !== null && server.pid() !== killed, {
      everyMs: 5,
      signal: deadline(20_000),
    });
    expect(await queryUntilAnswered(server.connectionString, "select count(*)::int as n from acked")).toEqual(
      [{ n: round }],
    );
  }
});

test("stopping while the server is being started again leaves nothing behind", async () => {
  const dataFolder = await makeFolder();
  const server = await startEmbedded({ dataFolder });
  process.kill(server.pid()!, "SIGKILL");
  await waitUntil(() => server.pid() === null, { everyMs: 1, signal: deadline(10_000) });
  await server[Symbol.asyncDispose]();
  expect(await holdersOf(dataFolder)).toEqual([]);
});

test("Fairlead killed: the next start takes over at once, with what was acknowledged", async () => {
  const dataFolder = await makeFolder();
  const { child, answer } = await startChild(dataFolder);
  await query(answer.address!, "create table acked as select 1 as n");
  child.kill("SIGKILL");
  await child.ended;
  await using server = await startEmbedded({ dataFolder });
  expect(server.pid()).not.toBe(answer.pid);
  expect(await query(server.connectionString, "select n from acked")).toEqual([{ n: 1 }]);
});

test("Fairlead and server killed together: the next start recovers", async () => {
  const dataFolder = await makeFolder();
  const { child, answer } = await startChild(dataFolder);
  await query(answer.address!, "create table acked as select 1 as n");
  process.kill(answer.pid!, "SIGKILL");
  child.kill("SIGKILL");
  await using server = await startEmbedded({ dataFolder });
  expect(await query(server.connectionString, "select n from acked")).toEqual([{ n: 1 }]);
});

test("an orphan that nothing stopped is taken over", async () => {
  const dataFolder = await makeFolder();
  const { words, env, uid } = await (async () => {
    await using server = await startEmbedded({ dataFolder });
    const proc = `/proc/${server.pid()}`;
    return {
      words: (await readFile(`${proc}/cmdline`, "utf8")).split("\0").slice(0, -1),
      env: Object.fromEntries(
        (await readFile(`${proc}/environ`, "utf8"))
          .split("\0")
          .filter(Boolean)
          .map((entry) => entry.split(/=(.*)/su).slice(0, 2)),
      ),
      uid: (await stat(proc)).uid,
    };
  })();
  const sockets = await makeFolder();
  const orphanWords = words.map((word) =>
    word.startsWith("unix_socket_directories=") ? `unix_socket_directories=${sockets}` : word,
  );
  const drop =
    uid === process.getuid?.()
      ? []
      : [
          "setpriv",
          `--reuid=${uid}`,
          `--regid=${(await stat(join(dataFolder, "pg18"))).gid}`,
          "--clear-groups",
          "--",
        ];
  await chmod(sockets, 0o777);
  const [file, ...rest] = [...drop, ...orphanWords];
  const orphan = launch(file!, rest, { env, output: "ignore", cwd: "/" });
  onTestFinished(() => void orphan.kill("SIGKILL"));
  await waitUntil(async () => (await readdir(sockets)).length === 2, {
    everyMs: 10,
    signal: deadline(10_000),
  });
  await using server = await startEmbedded({ dataFolder });
  expect(await orphan.ended).toMatchObject({ exitCode: 0 });
  expect(await query(server.connectionString, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("a second Fairlead on the same data folder is refused by name and harms nothing", async () => {
  const dataFolder = await makeFolder();
  await using server = await startEmbedded({ dataFolder });
  const before = server.pid();
  await expect(startEmbedded({ dataFolder })).rejects.toThrow(`process ${process.pid}`);
  const { answer } = await startChild(dataFolder);
  expect(answer).toMatchObject({ code: "DATABASE_UNAVAILABLE", reason: "in_use" });
  expect(answer.message).toContain(`process ${process.pid}.`);
  expect(await query(server.connectionString, "select 1 as one")).toEqual([{ one: 1 }]);
  expect(server.pid()).toBe(before);
});

test("of five that start at once, one wins and the others are refused", async () => {
  const dataFolder = await makeFolder();
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => startEmbedded({ dataFolder })));
  const started = results.filter((result) => result.status === "fulfilled");
  const refused = results.filter((result) => result.status === "rejected").map((result) => result.reason);
  for (const { value } of started) await value[Symbol.asyncDispose]();
  expect(started).toHaveLength(1);
  expect(refused.every((fault) => fault instanceof Fault && fault.is("DATABASE_UNAVAILABLE", "in_use"))).toBe(
    true,
  );
});

test("locks of a dead server are removed, also when their process id lives again as something else", async () => {
  const dataFolder = await makeFolder();
  await (await startEmbedded({ dataFolder }))[Symbol.asyncDispose]();
  const stale = `${process.pid}\n${join(dataFolder, "pg18")}\n1700000000\n5432\n/run\n\n  1 2\nready   \n`;
  await writeFile(join(dataFolder, "pg18", "postmaster.pid"), stale, { mode: 0o600 });
  await writeFile(join(dataFolder, "pg18.lock"), `${process.pid} 1\n`);
  await using server = await startEmbedded({ dataFolder });
  expect(await query(server.connectionString, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("a cluster that was only half made is made anew", async () => {
  const dataFolder = await makeFolder();
  await mkdir(join(dataFolder, "pg18.new-1"), { mode: 0o700 });
  await writeFile(join(dataFolder, "pg18.new-1", "PG_VERSION"), "18\n");
  await using server = await startEmbedded({ dataFolder });
  expect(await query(server.connectionString, "select 1 as one")).toEqual([{ one: 1 }]);
  expect((await readdir(dataFolder)).sort()).toEqual(["pg18", "pg18.lib", "pg18.lock", "pg18.log"]);
});

test.for([
  ["pg18", "17"],
  ["pg17", "17"],
  ["pg19", "19"],
] as const)("another major version in %s is refused with what to do", async ([name, version]) => {
  const dataFolder = await makeFolder();
  await mkdir(join(dataFolder, name));
  await writeFile(join(dataFolder, name, "PG_VERSION"), `${version}\n`);
  const refusal = await startEmbedded({ dataFolder }).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: "DATABASE_UNAVAILABLE", reason: "wrong_version" });
  expect(String(refusal)).toMatch(/backup FILE.*restore FILE/u);
  expect(await readdir(join(dataFolder, name))).toEqual(["PG_VERSION"]);
});

test("a server that cannot start says why and leaves nothing running", async () => {
  const dataFolder = await makeFolder();
  const refusal = await startEmbedded({ dataFolder, settings: { shared_buffers: "nonsense" } }).catch(
    (error: unknown) => error,
  );
  expect(refusal).toMatchObject({
    code: "DATABASE_UNAVAILABLE",
    evidence: { words: expect.stringContaining("nonsense") },
  });
  expect(await holdersOf(dataFolder)).toEqual([]);
  await using server = await startEmbedded({ dataFolder });
  expect(await query(server.connectionString, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("an aborted start ends with the signal's reason and leaves nothing running", async () => {
  const dataFolder = await makeFolder();
  const reason = new Error("changed my mind");
  const stop = new AbortController();
  const starting = startEmbedded({ dataFolder, signal: stop.signal });
  stop.abort(reason);
  await expect(starting).rejects.toBe(reason);
  expect(await holdersOf(dataFolder)).toEqual([]);
});
