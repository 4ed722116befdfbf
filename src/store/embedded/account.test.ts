import { expect, test } from "vitest";
import { parseAccounts, wrapCommand } from "./account.ts";

test("accounts are read from passwd lines, malformed ones left out", () => {
  const passwd =
    "root:x:0:0:root:/root:/bin/bash\n\n# comment\nbroken\nbad:x:one:2::\n:x:5:5::\nnobody:x:65534:65534::/:\n+::::::\n";
  expect(parseAccounts(passwd)).toEqual([
    { name: "root", uid: 0, gid: 0 },
    { name: "nobody", uid: 65534, gid: 65534 },
  ]);
});

test("the words of a way come before the program", () => {
  const way = { name: "x", owner: null, spawnAs: null };
  expect(wrapCommand({ ...way, prefix: ["setpriv", "--"] }, "/p/postgres", ["-D", "/d"])).toEqual({
    file: "setpriv",
    words: ["--", "/p/postgres", "-D", "/d"],
  });
  expect(wrapCommand({ ...way, prefix: [] }, "/p/postgres", ["-D", "/d"])).toEqual({
    file: "/p/postgres",
    words: ["-D", "/d"],
  });
});
