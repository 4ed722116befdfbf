import { chmod, cp, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { holdersOf, isRoot, makeFolder, query, startChild } from "../../../test/support/embedded-server.ts";
import { run } from "../../kernel/run.ts";
import { startEmbedded } from "./supervise.ts";

const NOBODY = 65_534;

test("SQL reaches no file and no program of the machine", async () => {
  const dataFolder = await makeFolder();
  await writeFile(join(dataFolder, "secret.key"), "key", { mode: 0o600 });
  await using server = await startEmbedded({ dataFolder });
  for (const statement of [
    "copy (select 1) to program 'id'",
    `select pg_read_file('${dataFolder}/secret.key')`,
    "copy (select 1) to '/tmp/fairlead-should-not-exist'",
    "create extension file_fdw",
  ]) {
    await expect(query(server.connectionString, statement)).rejects.toThrow(/permission denied|must be/u);
  }
});

test.runIf(isRoot)("as root, the server's user can reach its cluster and not Fairlead's key", async () => {
  const dataFolder = await makeFolder();
  await writeFile(join(dataFolder, "secret.key"), "key", { mode: 0o600 });
  await using server = await startEmbedded({ dataFolder });
  const uid = (await stat(`/proc/${server.pid()}`)).uid;
  expect(uid).not.toBe(0);
  const asServer = [
    "--reuid",
    String(uid),
    "--clear-groups",
    "--regid",
    String((await stat(dataFolder)).gid),
    "test",
    "-r",
  ];
  const options = { env: { PATH: "/usr/bin:/bin" }, timeoutMs: 5_000 };
  await run("setpriv", [...asServer, join(dataFolder, "pg18", "PG_VERSION")], options);
  await expect(run("setpriv", [...asServer, join(dataFolder, "secret.key")], options)).rejects.toMatchObject({
    exitCode: 1,
  });
  await expect(run("setpriv", [...asServer, dataFolder], options)).rejects.toMatchObject({ exitCode: 1 });
});

test.runIf(isRoot)(
  "as root, data and programs below a folder that nobody else may enter",
  async (context) => {
    const env = { PATH: "/usr/bin:/bin" };
    const namespaces = await run("unshare", ["-U", "--map-user=65534", "--map-group=65534", "true"], {
      env,
      timeoutMs: 5_000,
    }).then(
      () => true,
      () => false,
    );
    if (!namespaces) context.skip("this kernel gives no user namespaces");
    const closed = await makeFolder();
    await chmod(closed, 0o700);
    const dataFolder = join(closed, "data");
    await using server = await startEmbedded({ dataFolder });
    expect(await query(server.connectionString, "select 1 as one")).toEqual([{ one: 1 }]);
    expect((await stat(dataFolder)).mode & 0o777).toBe(0o700);
    expect((await stat(closed)).mode & 0o777).toBe(0o700);
  },
);

test.runIf(isRoot)("as root, a cluster moves from one way of running to another", async () => {
  const closed = await makeFolder();
  const dataFolder = join(closed, "data");
  {
    await using server = await startEmbedded({ dataFolder });
    await query(server.connectionString, "create table kept as select 7 as n");
  }
  const open = await makeFolder();
  await chmod(open, 0o755);
  await cp(dataFolder, join(open, "data"), { recursive: true });
  await using server = await startEmbedded({ dataFolder: join(open, "data") });
  expect(await query(server.connectionString, "select n from kept")).toEqual([{ n: 7 }]);
  expect((await stat(`/proc/${server.pid()}`)).uid).not.toBe(0);
});

test("as an ordinary user", async (context) => {
  if (!isRoot) context.skip("every other test here runs as one");
  const reachable = await run(
    "setpriv",
    ["--reuid=65534", "--regid=65534", "--clear-groups", "test", "-r", import.meta.filename],
    { env: { PATH: "/usr/bin:/bin" }, timeoutMs: 5_000 },
  ).then(
    () => true,
    () => false,
  );
  if (!reachable) context.skip("nobody may not enter this checkout");
  const folder = await makeFolder();
  await chmod(folder, 0o777);
  const dataFolder = join(folder, "data");
  const { child, answer } = await startChild(dataFolder, NOBODY);
  expect(answer.message).toBeUndefined();
  expect(await query(answer.address!, "select 1 as one")).toEqual([{ one: 1 }]);
  expect((await stat(`/proc/${answer.pid}`)).uid).toBe(NOBODY);
  expect((await stat(dataFolder)).mode & 0o777).toBe(0o700);
  child.stdin?.end();
  expect(await child.ended).toMatchObject({ exitCode: 0 });
  expect(await holdersOf(dataFolder)).toEqual([]);
  // what an ordinary user made, root can go on with
  await using server = await startEmbedded({ dataFolder });
  expect(await query(server.connectionString, "select 1 as one")).toEqual([{ one: 1 }]);
});

test("a data folder whose path is longer than a socket's may be", async () => {
  const dataFolder = join(await makeFolder(), "d".repeat(120), "e".repeat(120));
  await using server = await startEmbedded({ dataFolder });
  expect(await query(server.connectionString, "select 1 as one")).toEqual([{ one: 1 }]);
});
