import { assert, property, string } from "fast-check";
import { expect, test } from "vitest";
import { redactor } from "./redact.ts";
import { Secret } from "./secret.ts";

const TOKEN = "glpat-aB3_dE/f+g 'quoted' $HOME`x`\\y";
const redact = redactor([new Secret(TOKEN)]);

test.each([
  ["plain", TOKEN],
  ["in a URL", `https://oauth2:${encodeURIComponent(TOKEN)}@git.example.com/g/p.git`],
  ["in a URL, lower-case hexadecimal", encodeURIComponent(TOKEN).replace(/%../g, (hex) => hex.toLowerCase())],
  ["in a form", new URLSearchParams({ token: TOKEN }).toString()],
  ["as a basic credential", `Basic ${Buffer.from(`oauth2:${TOKEN}`).toString("base64")}`],
  ["as a basic credential of another user", `Basic ${Buffer.from(`x:${TOKEN}:tail`).toString("base64")}`],
  ["as a basic credential of a third user", `Basic ${Buffer.from(`xy:${TOKEN}`).toString("base64url")}`],
  ["hexadecimal", Buffer.from(TOKEN).toString("hex")],
  ["in single quotes", `'${TOKEN.replaceAll("'", String.raw`'\''`)}'`],
  ["in double quotes", `"${TOKEN.replace(/[\\"$`]/g, String.raw`\$&`)}"`],
  ["by backslashes", TOKEN.replace(/[^\w@%+=:,./-]/g, String.raw`\$&`)],
  ["in JSON", JSON.stringify({ token: TOKEN })],
])("hides a secret %s", (_, text) => {
  const shown = redact(`before ${text} after`);
  expect(shown).toContain("[secret]");
  expect(shown).toMatch(/^before .* after$/);
  for (const piece of ["glpat", "aB3_dE", "quoted", Buffer.from("aB3_dE").toString("hex")]) {
    expect(shown).not.toContain(piece);
  }
});

test("leaves other text alone, and every text when there are no secrets", () => {
  expect(redact("nothing to hide")).toBe("nothing to hide");
  expect(redactor([])("glpat-x")).toBe("glpat-x");
  expect(redactor([new Secret(""), new Secret("on")])("on and on")).toBe("on and on");
});

test("hides each line of a secret with several lines", () => {
  const key = "-----BEGIN KEY-----\nc2VjcmV0LWtleS1ib2R5\nbW9yZS1rZXktYm9keQ==\n-----END KEY-----\n";
  expect(redactor([new Secret(key)])("line 2: bW9yZS1rZXktYm9keQ==")).toBe("line 2: [secret]");
});

test("no base64 of the secret survives, whatever surrounds it", () => {
  assert(
    property(
      string({ minLength: 12, maxLength: 60, unit: "grapheme-ascii" }),
      string({ unit: "binary" }),
      string({ unit: "binary" }),
      (secret, before, after) => {
        const text = Buffer.from(before + secret + after).toString("base64");
        expect(redactor([new Secret(secret)])(text)).toContain("[secret]");
      },
    ),
  );
});
