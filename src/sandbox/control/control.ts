import type { IncomingMessage } from "node:http";
import type { Secret } from "../../kernel/secret.ts";
import type { Box } from "../box.ts";
import { homePage } from "../page/page.ts";
import { submit } from "../page/submit.ts";
import { digestOf } from "../state.ts";
import { ok, Refusal, type Reply } from "../reply.ts";
import { readBody } from "../request.ts";
import { getAction, listActions } from "./actions.ts";
import { showContents } from "./contents.ts";
import { refuseStranger } from "./guard.ts";
import { listKnobs } from "./knob-rows.ts";
import { changeKnobs, InvalidInput, replaceKnobs } from "./set-knobs.ts";

/** What a person or a test does to a sandbox while it runs, beside GitLab's own API. */
export interface Control {
  /** Answers `/-/sandbox…`; null for every other path. No knob touches it. */
  handle(request: IncomingMessage, path: string): Promise<Reply | null>;
  /** The page at `/`. */
  home(request: IncomingMessage): Promise<Reply>;
}

/** Knobs and actions are short. */
const BODY_LIMIT = 1024 * 1024;

type Handler = (request: IncomingMessage) => Promise<Reply> | Reply;

export interface ControlOptions {
  /** What others than this machine need; null when none reach it. */
  readonly token: Secret | null;
  /** The private CA of a sandbox with TLS, PEM. */
  readonly ca: string | null;
  /** Relative URL root, "" for none. */
  readonly root: string;
}

export function createControl(box: Box, { token, ca, root }: ControlOptions): Control {
  const { state } = box;
  const door = { tokenDigest: token && digestOf(token.reveal()) };
  const shown = (): Reply => json(200, { faults: state.faults, settings: state.settings });
  const routes: Readonly<Record<string, Handler>> = {
    "GET /-/sandbox": shown,
    "PATCH /-/sandbox": async (request) => {
      changeKnobs(state, await readJson(request));
      return shown();
    },
    "PUT /-/sandbox": async (request) => {
      replaceKnobs(state, await readJson(request), state.start);
      return shown();
    },
    "GET /-/sandbox/knobs": () =>
      ok(listKnobs().map(({ name, about, values, start }) => ({ name, about, values, start }))),
    "GET /-/sandbox/actions": () => ok(listActions()),
    "GET /-/sandbox/contents": async () => ok(await showContents(box)),
    "GET /-/sandbox/ca.pem": () =>
      ca === null
        ? json(404, { error: "this sandbox speaks no TLS" })
        : { status: 200, text: ca, contentType: "application/x-pem-file", fromProxy: true },
    "GET /-/sandbox/page": () => homePage(box, root),
    "POST /-/sandbox/page": (request) => submit(box, root, request),
  };
  const act = async (request: IncomingMessage, name: string): Promise<Reply> =>
    json(200, await getAction(name).run(box, await readJson(request)));
  return {
    handle: async (request, path) => {
      if (path !== "/-/sandbox" && !path.startsWith("/-/sandbox/")) return null;
      const refused = refuseStranger(door, request);
      if (refused) return refused;
      const route = routes[`${request.method} ${path}`];
      const name = /^\/-\/sandbox\/actions\/(\w+)$/.exec(path)?.[1];
      try {
        if (route) return await route(request);
        if (request.method === "POST" && name !== undefined) return await act(request, name);
        return json(404, { error: `there is no ${request.method} ${path}` });
      } catch (error) {
        if (error instanceof InvalidInput)
          return json(400, { error: error.message, problems: error.problems });
        if (error instanceof RangeError) return json(422, { error: error.message });
        throw error;
      }
    },
    home: async (request) => refuseStranger(door, request) ?? homePage(box, root),
  };
}

function json(status: number, body: unknown): Reply {
  return { status, json: body, fromProxy: true };
}

/** Only JSON: a form of a foreign page could not send that without being asked for permission first. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json")
    throw new Refusal(json(415, { error: "Content-Type is application/json here" }));
  const text = (await readBody(request, BODY_LIMIT)).toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidInput(["body: no valid JSON"]);
  }
}
