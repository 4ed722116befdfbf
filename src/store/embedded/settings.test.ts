import { expect, test } from "vitest";
import { serverArguments } from "./settings.ts";

const paths = { data: "/d/pg18", sockets: "/run/s", cluster: "fairlead-x" };

test("the server listens on its socket only and keeps what it acknowledged", () => {
  const words = serverArguments(paths);
  expect(words.slice(0, 2)).toEqual(["-D", "/d/pg18"]);
  expect(words).toContain("listen_addresses=");
  expect(words).toContain("unix_socket_directories=/run/s");
  expect(words.filter((word) => /^(?:fsync|synchronous_commit|full_page_writes)=/u.test(word))).toEqual([]);
});

test("given settings win", () => {
  expect(
    serverArguments(paths, { shared_buffers: "1GB" }).filter((word) => word.startsWith("shared_buffers=")),
  ).toEqual(["shared_buffers=1GB"]);
});
