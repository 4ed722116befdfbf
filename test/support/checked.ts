import type { Checked } from "../../src/doctor/check.ts";
import type { Found } from "../../src/doctor/found.ts";

/** What the doctor gives for a sound connection. */
export function checked(overrides: Partial<Found> = {}): Checked {
  const found: Found = {
    baseUrl: "https://git.acme.lan/gitlab",
    webUrl: "https://git.acme.lan/gitlab",
    version: "19.0.1",
    edition: "ee",
    token: {
      kind: "personal",
      name: "deploy",
      scopes: ["api"],
      scopesKnownBy: "self",
      expiresAt: "2027-01-31",
    },
    user: { id: 7, username: "ada" },
    ...overrides,
  };
  return {
    found,
    diagnosis: {
      schema: 1,
      ok: true,
      instance: { url: found.baseUrl, version: found.version, edition: "ee" },
      token: { ...found.token, user: "ada" },
      checks: [],
      error: null,
    },
  };
}
