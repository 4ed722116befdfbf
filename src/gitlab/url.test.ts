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
    ["git@git.acme.lan:group/sub/shop.git", "https://git.acme.lan/group/sub"],
    ["ssh://git@git.acme.lan:2222/group/shop.git", "https://git.acme.lan/group"],
    ["git+ssh://git@git.acme.lan/group/shop.git", "https://git.acme.lan/group"],
    ["https://git.acme.lan/gitlab/group/shop.git", "https://git.acme.lan/gitlab/group"],
    ["https://git.acme.lan/group/shop.git/info/refs?service=git-upload-pack", "https://git.acme.lan/group"],
    ["https://git.acme.lan:8443/g/p/-/tree/main?ref_type=heads#L3", "https://git.acme.lan:8443/g/p"],
    ["https://git.acme.lan/groups/acme/-/settings", "https://git.acme.lan"],
    ["https://git.acme.lan/gitlab/help", "https://git.acme.lan/gitlab"],
    ["https://git.acme.lan/gitlab/api", "https://git.acme.lan/gitlab"],
    ["https://git.acme.lan/admin/users", "https://git.acme.lan"],
    ["https://ｇｉｔ．ａｃｍｅ.lan", "https://git.acme.lan"],
    ["https://git.acme.lan.", "https://git.acme.lan."],
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
    "hunter2@git.acme.lan:group/p.git",
    "git@git.acme.lan:8022/hunter2",
    "git:hunter2@git.acme.lan:group/p.git",
    "ssh://git:hunter2@git.acme.lan/g/p.git",
    "ssh://root@git.acme.lan/g/p.git",
    "ssh://git@169.254.169.254/g/p.git",
    "git@metadata.google.internal:g/p.git",
    "http://metadata.google.internal/computeMetadata/v1",
    "http://metadata.google.internal./",
    "http://2852039166/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://169.254.169.254./",
    "http://１６９.254.169.254/",
    "http://%31%36%39.254.169.254/",
    "http://[fd00:ec2::254]/",
    "http://[::169.254.169.254]/",
    "http://[0:0:0:0:0:ffff:169.254.169.254]/",
    "http://168.63.129.16/",
    "glpat-aBcDeFgHiJkLmNoPqRsT",
    "glrt-hunter2",
    "https://git.acme.lan/\u{d800}",
    "data:text/plain,x",
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
    expect(parseInstanceUrl("git@git.acme.lan:g/p.git").notes).toEqual([
      "an address for SSH: https:// on the same host is asked",
      "/p.git cut off",
    ]);
    expect(parseInstanceUrl("bücher.example").notes).toEqual([
      "https:// added",
      "the host's name in ASCII is xn--bcher-kva.example",
    ]);
    expect(parseInstanceUrl("https://git.acme.lan/g/p/-/issues").notes).toEqual(["/-/issues cut off"]);
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
