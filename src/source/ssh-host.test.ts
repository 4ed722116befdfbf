import { expect, test } from "vitest";
import { parseSshAddress } from "./ssh-host.ts";

test.each([
  ["git@git.acme.lan:acme/shop.git", { host: "git.acme.lan", port: 22 }],
  ["ssh://git@git.acme.lan:2222/acme/shop.git", { host: "git.acme.lan", port: 2222 }],
  ["ssh://git@git.acme.lan/acme/shop.git", { host: "git.acme.lan", port: 22 }],
  ["ssh://git@[::1]:2222/acme/shop.git", { host: "::1", port: 2222 }],
  ["git@-oProxyCommand=x:acme/shop.git", null],
  ["ssh://git@-oProxyCommand=x/acme/shop.git", null],
  ["git@a b:acme/shop.git", null],
  ["https://git.acme.lan/acme/shop.git", null],
  ["", null],
])("%j is %j", (url, address) => expect(parseSshAddress(url)).toEqual(address));
