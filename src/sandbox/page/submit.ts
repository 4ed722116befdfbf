import type { IncomingMessage } from "node:http";
import type { Box } from "../box.ts";
import { getAction } from "../control/actions.ts";
import { changeKnobs } from "../control/set-knobs.ts";
import { Refusal, type Reply } from "../reply.ts";
import { readBody } from "../request.ts";
import { homePage } from "./page.ts";
import { switchesOf } from "./switches.ts";

const BODY_LIMIT = 64 * 1024;

/** What buttons of the page may do without parameters. */
const PLAIN = new Set(["deliver_webhooks", "drop_webhooks", "reset"]);

/**
 * A form of the page. Its origin was checked if it was told; a form must tell it, as every browser does. Answers with the page and what
 * came of it.
 */
export async function submit(box: Box, root: string, request: IncomingMessage): Promise<Reply> {
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim();
  if (request.headers.origin === undefined || type !== "application/x-www-form-urlencoded") {
    throw new Refusal({
      status: 403,
      json: { error: "only the page itself sends forms here" },
      fromProxy: true,
    });
  }
  const form = new URLSearchParams((await readBody(request, BODY_LIMIT)).toString("utf8"));
  try {
    return await homePage(box, root, { ok: true, text: await perform(box, form) });
  } catch (error) {
    if (error instanceof RangeError) return homePage(box, root, { ok: false, text: error.message });
    throw error;
  }
}

/** Throws a `RangeError` that says what was wrong. */
async function perform(box: Box, form: URLSearchParams): Promise<string> {
  const wanted = form.get("do") ?? "";
  if (wanted === "knobs") {
    const { faults, settings } = box.state;
    const wished = structuredClone({ faults, settings }); // nothing is set when one of them is wrong
    for (const knob of switchesOf(form)) changeKnobs(wished, knob);
    changeKnobs(box.state, wished);
    return "The knobs are set.";
  }
  if (wanted === "push") {
    const [, id = "", branch = ""] = /^(\d{1,9}) (.+)$/.exec(form.get("to") ?? "") ?? [];
    const done = await getAction("push").run(box, { project: Number(id), branch });
    return `Pushed ${String(Reflect.get(done, "commit")).slice(0, 8)} to ${branch} of ${String(Reflect.get(done, "project"))}.`;
  }
  if (!PLAIN.has(wanted)) throw new RangeError("there is no such button");
  await getAction(wanted).run(box, {});
  return `Done: ${wanted.replace("_", " ")}.`;
}
