import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { explain } from "../faults/catalogue.ts";
import { CODES, type FaultCode } from "../faults/codes.ts";
import { Fault } from "../faults/fault.ts";
import { toProblem } from "../faults/problem.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { shareDiagnosis } from "./share.ts";

const NAMES = [
  "git.acme.lan",
  "deploy.acme.lan",
  "acme/shop",
  "eve-of-acme",
  "Acme Root CA",
  "10.20.30.40",
  "prod token",
];
const base = "https://git.acme.lan:8443/gitlab";

function diagnosisOf(fault: Fault): Diagnosis {
  const { title, cause, fix } = explain(fault, { baseUrl: base, version: "18.9.0" });
  const check = { evidenceSource: "live", ms: 1 } as const;
  return {
    schema: 1,
    ok: false,
    instance: { url: base, version: "18.9.0", edition: "ee" },
    token: {
      kind: "personal",
      name: "prod token",
      scopes: ["api"],
      scopesKnownBy: "self",
      expiresAt: "2027-01-01",
      user: "eve-of-acme",
    },
    checks: [
      {
        ...check,
        id: "net.dns",
        state: "ok",
        title: "git.acme.lan has an address",
        evidence: "10.20.30.40 (private)",
        fix: null,
      },
      {
        ...check,
        id: "tls.chain",
        state: "ok",
        title: "trusted",
        evidence: "signed by Acme Root CA, valid until 2027-01-01",
        fix: null,
      },
      {
        ...check,
        id: "token.kind",
        state: "ok",
        title: "A personal access token",
        evidence: "“prod token” of @eve-of-acme",
        fix: null,
      },
      {
        ...check,
        id: "project.visible",
        state: "ok",
        title: "acme/shop is there",
        evidence: "id 4",
        fix: null,
      },
      {
        ...check,
        id: "x",
        state: "fail",
        title,
        evidence: "see https://deploy.acme.lan/hooks/gitlab/abcdef",
        fix: fix.join("\n"),
      },
    ],
    error: {
      code: fault.code,
      reason: fault.reason,
      title,
      cause,
      fix,
      evidence: toProblem(fault, {}).evidence,
    },
  };
}

const pairs = (Object.keys(CODES) as FaultCode[]).flatMap((code) =>
  CODES[code].map((reason: string) => [code, reason] as const),
);
const evidence = {
  host: "git.acme.lan:8443",
  instance: base,
  link: `${base}/acme/shop`,
  project: "acme/shop",
  issuer: "Acme Root CA",
  to: "https://deploy.acme.lan/users/sign_in",
  words:
    "403 Forbidden - You (@eve-of-acme) … at https://git.acme.lan:8443/gitlab; deploy.acme.lan:443 (10.20.30.40)",
};

test.each(pairs)("%s %s: no name is left, whatever the failure", (code, reason) => {
  const shared = JSON.stringify(shareDiagnosis(diagnosisOf(Fault.of(code, reason as never, { evidence }))));
  expect(NAMES.filter((name) => shared.toLowerCase().includes(name.toLowerCase()))).toEqual([]);
  expect(shared).toContain(code);
  expect(shared).toContain("18.9.0");
});

test("the same name becomes the same word, and GitLab's own pages stay", () => {
  const { instance, error } = shareDiagnosis(diagnosisOf(Fault.of("AUTH_FAILED", "expired", { evidence })));
  expect(instance.url).toBe("https://host-1.example:8443/path-1");
  expect(error?.fix[0]).toContain(
    "https://host-1.example:8443/path-1/-/user_settings/personal_access_tokens?name=Fairlead",
  );
});

test("a short name is not cut out of other words", () => {
  const plain = diagnosisOf(Fault.of("INSUFFICIENT_SCOPES", "missing_api", { evidence }));
  const named = { ...plain, token: plain.token && { ...plain.token, name: "token", user: "ann" } };
  const { error, token } = shareDiagnosis(named);
  expect(error?.title).toBe("The token lacks the scope api");
  expect(error?.fix[0]).toContain("Scopes cannot be added to a token");
  expect(token).toMatchObject({ name: "[name]", user: "user-1" });
});

test("texts of any kind are taken", () => {
  const taken = property(string({ unit: "grapheme", maxLength: 300 }), (words) => {
    const shared = shareDiagnosis(diagnosisOf(Fault.of("GIT_FAILED", "", { evidence: { words } })));
    return shared.instance.url.startsWith("https://host-1.example");
  });
  expect(() => assert(taken)).not.toThrow();
});
