import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startAnswering, type AnsweringServer } from "../../../test/support/answering-server.ts";
import { openScene, type Scene } from "../scene.suite.ts";

const PROGRAM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((file) =>
  existsSync(file),
);
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let browser: Browser;
let scene: Scene;
let receiver: AnsweringServer;
beforeAll(async () => {
  if (!PROGRAM) return;
  browser = await chromium.launch({ executablePath: PROGRAM, args: FLAGS });
  scene = await openScene({ relativeUrl: "/gitlab" });
  receiver = await startAnswering(() => ({}));
  await scene.call("POST", "/projects/1/hooks", { url: receiver.url });
});
afterAll(async () => {
  if (!PROGRAM) return;
  await browser.close();
  await scene[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

beforeEach(({ skip }) => {
  if (!PROGRAM) skip("there is no Chromium (apt-get install chromium)");
});

/** A page without JavaScript, and what the browser complained of on it. */
async function open(): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("requestfailed", (request) => complaints.push(request.url()));
  await page.goto(`${scene.sandbox.url}/`);
  return { page, complaints };
}

test("without JavaScript a person pushes a change with one click, and the style is allowed", async () => {
  const { page, complaints } = await open();
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toContain("Sandbox GitLab 18.9.0");
  await page.getByLabel("Project and branch").selectOption({ label: "acme/shop: main" });
  await page.getByRole("button", { name: "Push a commit" }).click();
  expect(await page.getByRole("status").textContent()).toMatch(/Pushed [0-9a-f]{8} to main of acme\/shop/);
  await scene.sandbox.settled();
  expect(receiver.asked).toHaveLength(1);
  await page.goto(`${scene.sandbox.url}/`);
  await page.getByText("push_hooks: 200").click();
  expect(await page.getByText('"object_kind":"push"').isVisible()).toBe(true);
  expect(complaints.filter((one) => !one.endsWith("/favicon.ico"))).toEqual([]);
});

test("knobs are switched by their labels, and the page is still there", async () => {
  const { page } = await open();
  await page.getByLabel("faults.front.answer").selectOption("waf_page");
  await page.getByLabel("faults.maintenance").check();
  await page.getByRole("button", { name: "Set these knobs" }).click();
  expect(await page.getByRole("status").textContent()).toBe("The knobs are set.");
  expect(scene.sandbox.faults).toMatchObject({ maintenance: true, front: { answer: "waf_page" } });
  await page.getByRole("button", { name: "All knobs as at the start" }).click();
  expect(await page.getByRole("status").textContent()).toContain("reset");
  expect(scene.sandbox.faults.maintenance).toBe(false);
});

test("every table, field and button has a name", async () => {
  const { page } = await open();
  for (const role of ["table", "combobox", "checkbox", "textbox", "button"] as const) {
    for (const element of await page.getByRole(role).all()) {
      const name = await element.ariaSnapshot();
      expect(name).toMatch(new RegExp(`^- ["']?${role} "[^"]+`));
    }
  }
});
