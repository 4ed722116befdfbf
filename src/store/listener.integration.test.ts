import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createTestDatabase } from "../../test/support/database.ts";
import { makeFolder, query } from "../../test/support/embedded-server.ts";
import { deadline } from "../kernel/clock.ts";
import { waitUntil } from "../kernel/retry.ts";
import { silentLogger } from "../telemetry/log.ts";
import { createListener } from "./listener.ts";

interface Proxy {
  readonly address: string;
  /** From now on nothing passes and nothing is closed, as when a firewall forgets a connection. New connections pass. */
  dropSilently(): void;
}

async function startProxy(target: string): Promise<Proxy> {
  const folder = await makeFolder();
  const url = new URL(target);
  const socketFolder = url.searchParams.get("host");
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((client) => {
    const upstream = socketFolder
      ? createConnection(join(socketFolder, ".s.PGSQL.5432"))
      : createConnection(Number(url.port || 5432), url.hostname);
    pairs.add([client, upstream]);
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(join(folder, ".s.PGSQL.5432"), resolve));
  onTestFinished(() => {
    server.close();
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  });
  url.searchParams.set("host", folder);
  return {
    address: url.href,
    dropSilently: () => {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream);
        upstream.unpipe(client);
        client.pause();
        upstream.pause();
      }
    },
  };
}

const until = (condition: () => boolean): Promise<unknown> =>
  waitUntil(condition, { everyMs: 10, signal: deadline(15_000) });

test("a connection that drops silently is noticed, made again, and its subscribers are told", async () => {
  await using database = await createTestDatabase("empty");
  const proxy = await startProxy(database.connectionString);
  await using listener = createListener(proxy.address, silentLogger, { everyMs: 50, timeoutMs: 200 });
  const heard: string[] = [];
  let reconnects = 0;
  for (const channel of ["one", "two"]) {
    await listener.subscribe({
      channel,
      onMessage: (payload) => heard.push(payload),
      onReconnect: () => void reconnects++,
    });
  }
  await query(database.connectionString, "select pg_notify('one', 'before')");
  await until(() => heard.includes("before"));
  proxy.dropSilently();
  await query(database.connectionString, "select pg_notify('one', 'lost')");
  await until(() => reconnects === 2);
  await query(database.connectionString, "select pg_notify('one', 'after'), pg_notify('two', 'after too')");
  await until(() => heard.includes("after") && heard.includes("after too"));
  expect(heard).toEqual(["before", "after", "after too"]);
});

test("the first subscription to an unreachable database throws; a later one works", async () => {
  await using database = await createTestDatabase("empty");
  const proxy = await startProxy(database.connectionString);
  await using nowhere = createListener("postgresql://127.0.0.1:1/x", silentLogger);
  const handler = { channel: "one", onMessage: () => {}, onReconnect: () => {} };
  await expect(nowhere.subscribe(handler)).rejects.toThrow(/ECONNREFUSED/u);
  await using listener = createListener(proxy.address, silentLogger);
  await Promise.all(Array.from({ length: 10 }, () => listener.subscribe(handler)));
  const connections = await query(
    database.connectionString,
    "select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name = 'fairlead'",
  );
  expect(connections).toEqual([{ n: 1 }]);
});

test("a closed listener takes no subscriber and ends while it is reconnecting", async () => {
  await using database = await createTestDatabase("empty");
  const listener = createListener(database.connectionString, silentLogger, { everyMs: 20, timeoutMs: 100 });
  const handler = { channel: "one", onMessage: () => {}, onReconnect: () => {} };
  await listener.subscribe(handler);
  await query(
    database.connectionString,
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
  );
  await listener[Symbol.asyncDispose]();
  await expect(listener.subscribe(handler)).rejects.toThrow(/closed/u);
});
