import { change, isDraft } from "../merge-requests/rows.ts";
import { tellMergeRequest } from "../merge-requests/tell.ts";
import type { Reply } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Found } from "./find-merge-request.ts";
import { turn } from "./merge-request-update.ts";

interface Done {
  readonly changes: Readonly<Record<string, unknown>>;
  readonly summary: string;
}

type Command = (call: Call, found: Found, words: string) => Promise<Done>;

const COMMANDS: Readonly<Record<string, Command>> = {
  close: async (call, { project, row }) => {
    await turn(call, project, row, "close");
    return { changes: { state_event: "close" }, summary: "Closed this merge request." };
  },
  reopen: async (call, { project, row }) => {
    await turn(call, project, row, "reopen");
    return { changes: { state_event: "reopen" }, summary: "Reopened this merge request." };
  },
  title: (call, found, words) => retitle(call, found, words, `Changed the title to "${words}".`),
  draft: (call, found) => {
    const { title } = found.row;
    return retitle(
      call,
      found,
      isDraft(found.row) ? title : `Draft: ${title}`,
      "Marked this merge request as a draft.",
    );
  },
  ready: (call, found) => {
    const title = found.row.title.replace(/^\s*(\[draft\]|\(draft\)|draft:|\[wip\]|wip:)\s*/i, "");
    return retitle(call, found, title, "Marked this merge request as ready.");
  },
};

async function retitle(call: Call, { project, row }: Found, title: string, summary: string): Promise<Done> {
  const user = call.authenticate();
  const was = { ...row };
  change(call.box.state, row, user, { title, lastEditedAt: call.box.state.now() });
  await tellMergeRequest(call.box, project, user, row, "update", was);
  return { changes: { title }, summary };
}

function linesOf(body: string): { readonly command: Command | undefined; readonly words: string }[] {
  const lines = body.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const match = /^\/(\w+)(?:\s+(.*))?$/.exec(line.trim());
    return { command: COMMANDS[match?.[1] ?? ""], words: match?.[2]?.trim() ?? "" };
  });
}

/** A note that is nothing but quick actions this sandbox knows; with others it stays a note. */
export function isCommandsOnly(body: string): boolean {
  return linesOf(body).every(({ command }) => command !== undefined);
}

/** Does what the note says instead of keeping it: 202. */
export async function runCommands(call: Call, found: Found, body: string): Promise<Reply> {
  const done: Done[] = [];
  for (const { command, words } of linesOf(body)) if (command) done.push(await command(call, found, words));
  const changes = Object.assign({}, ...done.map((one) => one.changes));
  return { status: 202, json: { commands_changes: changes, summary: done.map((one) => one.summary) } };
}
