import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Fault } from "../faults/fault.ts";
import { describeAddress, ForbiddenAddressError, guardedLookup, isForbiddenAddress } from "./addresses.ts";
import { parseInstanceUrl } from "./url.ts";

describe("parseInstanceUrl", () => {
  test.each([
    ["https://git.acme.lan", "https://git.acme.lan"],
    ["  https://git.acme.lan/ \n", "https://git.acme.lan"],
    ["git.acme.lan", "https://git.acme.lan"],
    ["git.acme.lan:8443/gitlab/", "https://git.acme.lan:8443/gitlab"],
    ["http://10.0.4.7:80", "http://10.0.4.7"],
    ["HTTPS://Git.ACME.lan/GitLab", "https://git.acme.lan/GitLab"],
    ["https://git.acme.lan/api/v4", "https://git.acme.lan"],
    ["https://git.acme.lan/gitlab/api/v4/", "https://git.acme.lan/gitlab"],
    ["https://git.acme.lan/api/v4/projects?x=1#y", "https://git.acme.lan"],
    ["https://git.acme.lan/gitlab/users/sign_in", "https://git.acme.lan/gitlab"],
    ["https://git.acme.lan/-/user_settings/personal_access_tokens?page=1", "https://git.acme.lan"],
    ["https://git.acme.lan//gitlab//", "https://git.acme.lan/gitlab"],
    ["https://git.acme.lan/a/../gitlab", "https://git.acme.lan/gitlab"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["http://[::1]:3000/", "http://[::1]:3000"],
    ["localhost:3000", "https://localhost:3000"],
  ])("%j → %s", (pasted, baseUrl) => {
    expect(parseInstanceUrl(pasted).baseUrl).toBe(baseUrl);
  });

  test.each([
    "",
    "   ",
    "https://",
    "https://:443",
    "ftp://git.acme.lan",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://amy:hunter2@git.acme.lan",
    "https://hunter2@git.acme.lan",
    "https://@git.acme.lan",
    "git@git.acme.lan:group/hunter2.git",
    "https://git.acme.lan\n.evil.example",
    "https://git.acme.lan\t/x",
    "https://git\u0000.acme.lan",
    "https://git.acme.lan/\u202egpj.exe",
    "https://git.acme.lan\\@evil.example",
    "https://git acme.lan",
    "https://git.acme.lan:99999",
    "https://git.acme.lan:0",
    "http://169.254.169.254/latest/meta-data",
    "http://[::ffff:a9fe:a9fe]/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://[fe80::1%25eth0]/",
    "http://100.100.100.200",
    `https://git.acme.lan/${"a".repeat(3000)}`,
  ])("refuses %j without repeating it", (pasted) => {
    let fault: unknown;
    try {
      parseInstanceUrl(pasted);
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(Fault);
    expect(fault).toMatchObject({ code: "INVALID_URL", reason: "" });
    expect(JSON.stringify(fault) + String(fault)).not.toContain("hunter2");
  });

  test("what was normalised once stays, and never ends in a slash", () => {
    const host = fc.domain();
    const path = fc.array(fc.stringMatching(/^[a-z0-9_.~-]{1,8}$/), { maxLength: 3 });
    fc.assert(
      fc.property(host, path, fc.constantFrom("http://", "https://", ""), (name, segments, scheme) => {
        const once = parseInstanceUrl(`${scheme}${name}/${segments.join("/")}/`);
        expect(parseInstanceUrl(once.baseUrl)).toMatchObject({ baseUrl: once.baseUrl, notes: [] });
        expect(once.baseUrl.endsWith("/")).toBe(false);
        expect(once.baseUrl.startsWith(once.origin)).toBe(true);
      }),
    );
  });

  test("says what it changed", () => {
    expect(parseInstanceUrl("git.acme.lan/api/v4").notes).toEqual(["https:// added", "/api/v4 cut off"]);
    expect(parseInstanceUrl("https://git.acme.lan/").notes).toEqual([]);
  });
});

describe("addresses", () => {
  test.each([
    ["169.254.169.254", true],
    ["169.253.0.1", false],
    ["::ffff:169.254.1.1", true],
    ["fe80::1", true],
    ["febf::1", true],
    ["fec0::1", false],
    ["fd00:ec2::254", true],
    ["fd00:ec2::253", false],
    ["64:ff9b::a9fe:a9fe", true],
    ["2002:a9fe:a9fe::1", true],
    ["127.0.0.1", false],
    ["10.0.0.1", false],
    ["::1", false],
    ["git.acme.lan", false],
  ])("%s forbidden: %s", (address, forbidden) => {
    expect(isForbiddenAddress(address)).toBe(forbidden);
  });

  test.each([
    ["127.8.8.8", "loopback"],
    ["::1", "loopback"],
    ["10.1.2.3", "private"],
    ["172.31.0.1", "private"],
    ["192.168.1.1", "private"],
    ["fd12::1", "private"],
    ["8.8.8.8", "public"],
    ["2a00::1", "public"],
  ])("%s is %s", (address, kind) => {
    expect(describeAddress(address)).toBe(kind);
  });

  test.each([{ all: true }, { all: false }])(
    "a name that leads to a forbidden address is not connected to (%j)",
    async (options) => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      guardedLookup("169.254.169.254", options, (error, address) => resolve(error ?? address));
      expect(await promise).toBeInstanceOf(ForbiddenAddressError);
    },
  );

  test("answers in the form the socket asked for", async () => {
    const ask = (all: boolean) =>
      new Promise((resolve) =>
        guardedLookup("127.0.0.1", { all }, (_error, address, family) => resolve([address, family])),
      );
    expect(await ask(false)).toEqual(["127.0.0.1", 4]);
    expect(await ask(true)).toEqual([[{ address: "127.0.0.1", family: 4 }], undefined]);
  });
});
