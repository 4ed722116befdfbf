import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { AREAS, explain } from "./catalogue.ts";
import { CODES, type FaultCode } from "./codes.ts";
import { Fault, toFault } from "./fault.ts";
import { KNOWN_MESSAGES } from "./known-messages.ts";
import { placesOf } from "./places.ts";
import { toProblem } from "./problem.ts";
import { renderErrorDocs } from "./render-docs.ts";
import { SYMPTOMS } from "./symptoms.ts";

const codes = Object.keys(CODES) as FaultCode[];
const pairs = codes.flatMap((code) => CODES[code].map((reason: string) => [code, reason] as const));
const base = "https://git.acme.lan/gitlab";

describe("the catalogue", () => {
  test("names every code once", () => {
    const listed = AREAS.flatMap(([, entries]) => Object.keys(entries));
    expect(listed.toSorted()).toEqual(codes.toSorted());
    for (const [, entries] of AREAS) {
      for (const [code, reasons] of Object.entries(entries)) {
        expect(Object.keys(reasons as object).toSorted()).toEqual([...CODES[code as FaultCode]].toSorted());
      }
    }
  });

  test.each(pairs)("%s %s is explained in sentences, with and without facts", (code, reason) => {
    const facts = {
      host: "git.acme.lan",
      words: "W",
      to: `${base}/x`,
      needs: "Maintainer",
      scopes: "read_api",
      address: "169.254.1.1",
    };
    for (const evidence of [{}, facts]) {
      for (const instance of [
        {},
        { baseUrl: base },
        { baseUrl: base, version: "12.0.0" },
        { baseUrl: base, version: "19.1.0" },
      ]) {
        const { title, cause, fix } = explain({ code, reason, evidence }, instance);
        expect(title).toMatch(/^[A-Z].*[^.]$/);
        expect(cause).toMatch(/^[A-Z].*\.$/s);
        expect(fix.length).toBeGreaterThan(0);
        for (const text of [title, cause, ...fix])
          expect(text).not.toMatch(/undefined|null|NaN|\[object|\s\s/);
      }
    }
  });

  test("docs/errors.md is the catalogue", async () => {
    const path = new URL("../../docs/errors.md", import.meta.url).pathname;
    await expect(renderErrorDocs(), "run: npx vitest run src/faults -u").toMatchFileSnapshot(path);
    expect(readFileSync(path, "utf8")).toContain("`AUTH_FAILED` · `unknown_token`");
  });

  test("Fairlead's own note leads the cause, once, wherever the fault has been", () => {
    const note = "The address names no host";
    const evidence = { note };
    const told = explain({ code: "INVALID_URL", reason: "", evidence });
    expect(told.cause).toMatch(/^The address names no host\. The address must be/);
    expect(explain({ code: "INVALID_URL", reason: "", evidence, message: note }).cause).toBe(told.cause);
    expect(explain({ code: "INVALID_URL", reason: "", evidence, message: told.title }).cause).toBe(
      told.cause,
    );
  });

  test.each([
    [{ status: 407 }, /proxy\.lan:3128 .*asks for a sign-in/],
    [{ status: 403 }, /A rule of the proxy proxy\.lan:3128 .*forbids/],
    [{ status: 502 }, /proxy\.lan:3128 .*could not reach GitLab \(status 502\)/],
    [{ networkError: "ECONNREFUSED" }, /proxy\.lan:3128 .*cannot be reached.*ECONNREFUSED/],
  ])("a proxy's trouble names the proxy and what it did: %j", (seen, expected) => {
    const evidence = { ...seen, proxy: "proxy.lan:3128" };
    expect(explain({ code: "UNREACHABLE", reason: "proxy", evidence }).cause).toMatch(expected);
  });

  test("an unknown reason is explained by its code", () => {
    expect(explain({ code: "AUTH_FAILED", reason: "of a later version", evidence: {} }).title).toMatch(
      /token/,
    );
    expect(explain({ code: "AUTH_FAILED", reason: "__proto__", evidence: {} }).title).toMatch(/token/);
  });
});

describe("menus", () => {
  const VERSIONS = [
    "10.5.0",
    "12.7.0",
    "13.12.0",
    "14.4.0",
    "15.2.0",
    "15.5.0",
    "16.3.0",
    "16.7.0",
    "17.1.0",
    "18.2.0",
    "18.9.0",
    "19.2.0",
  ];
  /** What may stand in a step only from a version on, and only before another. */
  const WORDS: readonly (readonly [words: RegExp, from: string | null, before: string | null])[] = [
    [/\/-\/user_settings\//, "16.7", null],
    [/\/-\/profile\/personal_access_tokens/, "13.0", "16.7"],
    [/\/profile\/personal_access_tokens/, null, "16.7"],
    [/[^-]\/profile\/personal_access_tokens/, null, "13.0"],
    [/\?name=/, "14.1", null],
    [/avatar > Settings/, null, "13.0"],
    [/Personal access tokens/, "18.0", null],
    [/> Access > /, "19.0", null],
    [/the wrench/, null, "14.0"],
    [/Menu > Admin/, "14.0", "16.0"],
    [/bottom of the left sidebar/, "16.0", "18.6"],
    [/top right/, "18.6", null],
    [/Manage > Members/, "16.0", null],
    [/Project information > Members/, "14.0", "16.0"],
    [/Settings > Integrations/, null, "12.10"],
    [/Settings > Webhooks/, "12.10", null],
    [/Import and export settings/, "16.4", null],
    [/webhooks and integrations/, "16.0", null],
    [/web hooks and services/, "12.2", "16.0"],
    [/from hooks and services/, null, "12.2"],
    [/application_settings\//, "11.0", null],
    [/“Disable access tokens”/, "17.3", null],
  ];
  const numberOf = (version: string): number => {
    const [major = 0, minor = 0] = version.split(".").map(Number);
    return major * 1000 + minor;
  };
  const links = { link: `${base}/acme/shop`, project: "acme/shop" };

  test.each(VERSIONS)("of %s are those that it has", (version) => {
    const now = numberOf(version);
    for (const [code, reason] of pairs) {
      const { cause, fix } = explain({ code, reason, evidence: links }, { baseUrl: base, version });
      for (const [words, from, before] of WORDS) {
        const exists =
          (from === null || now >= numberOf(from)) && (before === null || now < numberOf(before));
        const used = [cause, ...fix].filter((text) => words.test(text));
        expect(exists ? [] : used, `${code} ${reason}: ${words}`).toEqual([]);
      }
    }
  });

  test("each of these words is used by some step of some version", () => {
    const all = VERSIONS.flatMap((version) =>
      pairs.flatMap(
        ([code, reason]) => explain({ code, reason, evidence: links }, { baseUrl: base, version }).fix,
      ),
    ).join("\n");
    expect(WORDS.filter(([words]) => !words.test(all)).map(([words]) => String(words))).toEqual([]);
  });

  test("a version that is not known gets both token pages", () => {
    const steps = explain({ code: "AUTH_FAILED", reason: "expired", evidence: {} }, { baseUrl: base }).fix[0];
    expect(steps).toContain(`${base}/-/user_settings/personal_access_tokens?name=Fairlead&scopes=api`);
    expect(steps).toContain(`${base}/-/profile/personal_access_tokens?name=Fairlead&scopes=api`);
  });
});

describe("what people know", () => {
  const exists = ([code, reason]: readonly [FaultCode, string]): boolean =>
    pairs.some(([other, otherReason]) => other === code && otherReason === reason);

  test("the seven messages are answered by codes that exist", () => {
    expect(KNOWN_MESSAGES.map(({ message }) => message)).toEqual([
      "AUTH_FAILED at connection",
      "INSUFFICIENT_SCOPES at connection",
      "insufficient_scope during deployment",
      "insufficient_scope or 404 during template import",
      "repositories not loading",
      "webhook not created",
      "deploy fails at git clone",
    ]);
    expect(KNOWN_MESSAGES.flatMap(({ now }) => now).filter((pair) => !exists(pair))).toEqual([]);
    const guide = readFileSync(new URL("../../docs/gitlab-token.md", import.meta.url), "utf8");
    expect(KNOWN_MESSAGES.filter(({ message }) => !guide.includes(message))).toEqual([]);
  });

  test("75 symptoms are answered, each by a code that exists or by the reason why it is no error", () => {
    expect(SYMPTOMS).toHaveLength(75);
    expect(SYMPTOMS.filter(({ fault }) => fault !== null && !exists(fault))).toEqual([]);
    expect(SYMPTOMS.filter(({ note }) => note === "")).toEqual([]);
    const silent = SYMPTOMS.filter(
      ({ fault, note }) => fault === null && !/^(no error|does not occur): /.test(note),
    );
    expect(silent).toEqual([]);
  });
});

describe("links", () => {
  const page = (version?: string) => placesOf({ baseUrl: base, version }).tokenPage();
  test.each([
    ["12.7.2", "/profile/personal_access_tokens ("],
    ["13.12.0", "/-/profile/personal_access_tokens ("],
    ["14.1.0", "/-/profile/personal_access_tokens?name=Fairlead&scopes=api ("],
    ["16.6.9", "/-/profile/personal_access_tokens?"],
    ["16.7.0", "/-/user_settings/personal_access_tokens?"],
    ["18.9.0-pre", "/-/user_settings/personal_access_tokens?"],
    [undefined, "/-/profile/personal_access_tokens?"],
    ["rubbish", "/-/profile/personal_access_tokens?"],
  ])("the token page of %s is %s", (version, path) => {
    expect(page(version)).toContain(`${base}${path}`);
  });

  test("a fault of the GitLab client brings its GitLab along, also through a stored diagnosis", () => {
    const evidence = { instance: base, gitlabVersion: "18.9.0" };
    const { fix } = toProblem(Fault.of("AUTH_FAILED", "expired", { evidence }), { requestId: "req_1" });
    expect(fix.join()).toContain(`${base}/-/user_settings/personal_access_tokens`);
    const odd = Fault.of("AUTH_FAILED", "expired", { evidence: { instance: "javascript:alert(1)" } });
    expect(toProblem(odd, {}).fix.join()).not.toContain("javascript");
  });

  test("without an address the way is told in words", () => {
    expect(placesOf({}).tokenPage()).toBe("your avatar > Edit profile > Access tokens");
    expect(placesOf({ version: "19.0.0" }).adminUsers()).toBe("Admin, at the top right > Overview > Users");
    expect(placesOf({ baseUrl: base, version: "15.0.0" }).adminSettings("network", "Network")).toBe(
      `${base}/admin/application_settings/network (Menu > Admin > Settings > Network)`,
    );
  });
});

describe("problems", () => {
  test("follow RFC 9457 and carry what helps", () => {
    const evidence = {
      method: "GET",
      pathTemplate: "/user",
      status: 401,
      words: "401 Unauthorized",
      requestId: "01H",
      odd: undefined,
    };
    const fault = Fault.of("AUTH_FAILED", "expired", { evidence });
    expect(toProblem(fault, { baseUrl: base, version: "18.9.0", requestId: "req_1" })).toEqual({
      type: "urn:fairlead:error:AUTH_FAILED:expired",
      title: "The token has expired",
      status: 424,
      detail: "A token is dead from 00:00 UTC of its expiry date on.",
      code: "AUTH_FAILED",
      reason: "expired",
      fix: [
        `Make a new token with the scope api: ${base}/-/user_settings/personal_access_tokens?name=Fairlead&scopes=api (your avatar > Edit profile > Personal access tokens).`,
        "Then give it: fairlead connect URL, or, for a connection that is there already, fairlead reconnect NAME.",
      ],
      evidence: {
        method: "GET",
        pathTemplate: "/user",
        status: 401,
        words: "401 Unauthorized",
        requestId: "01H",
      },
      requestId: "req_1",
    });
  });

  test.each<[Fault, number]>([
    [Fault.of("NOT_FOUND", ""), 404],
    [Fault.of("CONFLICT", "in_use"), 409],
    [Fault.of("BAD_REQUEST", "malformed_json"), 400],
    [Fault.of("UNAUTHORIZED", ""), 401],
    [Fault.of("TOO_LARGE", ""), 413],
    [Fault.of("RATE_LIMITED", ""), 503],
    [Fault.of("UNREACHABLE", "timeout"), 504],
    [Fault.of("UNREACHABLE", "dns"), 502],
    [Fault.of("INTERNAL", ""), 500],
  ])("%s is %i", (fault, status) => expect(toProblem(fault, {}).status).toBe(status));

  test("only our own refusals are 401 and 403", () => {
    const statuses = pairs
      .filter(([code]) => code !== "UNAUTHORIZED")
      .map(([code, reason]) => toProblem(Fault.of(code, reason as never), {}).status);
    expect(statuses.filter((status) => status === 401 || status === 403)).toEqual([]);
  });

  test("what somebody wrote for the case leads the cause", () => {
    const fault = Fault.of("NOT_FOUND", "", { message: "There is no app shop" });
    expect(toProblem(fault, {}).detail).toBe(
      "There is no app shop. The name or id does not exist, or not any more.",
    );
    const twice = Fault.of("AUTH_FAILED", "expired", { message: "The token has expired" });
    expect(toProblem(twice, {}).detail).toBe("A token is dead from 00:00 UTC of its expiry date on.");
    const lines = Fault.of("CONFIG_INVALID", "", { message: "two problems:\n  A\n  B" });
    expect(toProblem(lines, {}).detail).toMatch(/^Two problems:\n {2}A\n {2}B\.\nFairlead does not start/);
  });

  test("nothing of an unforeseen error, of a cause or of a stack gets out", () => {
    const secret = "glpat-hidden";
    const internal = toFault(new Error(`connect failed with ${secret}`));
    const caused = Fault.of("UNREACHABLE", "reset", { cause: new Error(secret) });
    for (const fault of [internal, caused]) {
      expect(JSON.stringify(toProblem(fault, { requestId: "req_1" }))).not.toContain(secret);
    }
  });

  test("evidence is bounded", () => {
    const fault = Fault.of("GIT_FAILED", "", { evidence: { words: "x".repeat(10_000), bad: Number.NaN } });
    const { evidence } = toProblem(fault, {});
    expect(String(evidence["words"])).toHaveLength(2048);
    expect(evidence).not.toHaveProperty("bad");
  });
});
