import { createHash } from "node:crypto";
import type { Box } from "../box.ts";
import { showContents, type Contents, type DeliveryRow } from "../control/contents.ts";
import type { Reply } from "../reply.ts";
import type { Delivery } from "../state.ts";
import { Html, html, table } from "./html.ts";
import { changedKnobs, switchForm } from "./switches.ts";

const STYLE = `:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #8886;padding:.3rem .6rem;text-align:left;vertical-align:top;overflow-wrap:break-word}
section{overflow-x:auto}summary{cursor:pointer}
pre{white-space:pre-wrap;overflow-wrap:anywhere;max-height:20rem;overflow:auto;margin:.3rem 0}
form{margin:.5rem 0}button,input,select{font:inherit}button{padding:.2rem .8rem}
.fields{display:grid;grid-template-columns:repeat(auto-fill,minmax(19rem,1fr));gap:0 1.5rem}.fields p{margin:.4rem 0}
.note{display:block;font-size:85%;opacity:.8}.row>*{margin-right:.6rem}.row form{display:inline}
[role=status],[role=alert]{border-left:.3rem solid;padding:.3rem .8rem}[role=alert]{border-color:#c00}`;

/** Made at once: a space more would not be what the policy allows. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);

const HEADERS = {
  "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'`,
  "Referrer-Policy": "same-origin",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
};

/** What was just done, or could not be. */
export interface Notice {
  readonly ok: boolean;
  readonly text: string;
}

/** `GET /` and `/-/sandbox/page`: what this sandbox holds. Tokens are shown without their value, which it does not keep. */
export async function homePage(box: Box, root: string, notice: Notice | null = null): Promise<Reply> {
  const contents = await showContents(box);
  const page = html`<!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <base href="${root}/-/sandbox/" />
        <title>Sandbox GitLab ${contents.version}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main>
          <h1>Sandbox GitLab ${contents.version}</h1>
          ${notice && html`<p role="${notice.ok ? "status" : "alert"}">${notice.text}</p>`}
          <p>
            A GitLab in a box for tests and demonstrations, at ${contents.url}. It is no place for real code:
            everything here is gone when it ends.
          </p>
          ${pushForm(contents)} ${projects(contents)} ${hooks(box, contents)} ${people(contents)}
          ${knobs(box)}
        </main>
      </body>
    </html> `;
  const status = notice?.ok === false ? 400 : 200;
  return { status, contentType: "text/html; charset=utf-8", text: page.text, headers: HEADERS };
}

function people(contents: Contents): Html {
  return html`${table(
    "Merge requests",
    ["project", "number", "title", "branches", "state"],
    contents.mergeRequests.map((one) => [
      one.project,
      `!${one.iid}`,
      one.title,
      `${one.source} → ${one.target}`,
      one.state,
    ]),
  )}
  ${table(
    "Users",
    ["id", "name", "state", ""],
    contents.users.map((user) => [user.id, user.username, user.condition, user.admin ? "administrator" : ""]),
  )}
  ${table(
    "Tokens",
    ["id", "user", "name", "scopes", "state", "expires"],
    contents.tokens.map((one) => [
      one.id,
      one.user,
      one.name,
      one.scopes.join(" "),
      one.state,
      one.expiresAt ?? "never",
    ]),
  )}`;
}

function pushForm({ projects }: Contents): Html {
  const options = projects.flatMap(({ id, path, branches, defaultBranch }) => {
    const names = branches.length === 0 ? [defaultBranch] : branches.map(({ name }) => name);
    return names.map((name) => html`<option value="${`${id} ${name}`}">${path}: ${name}</option>`);
  });
  if (options.length === 0) return html`<p>There is no project to push to.</p>`;
  return html`<section aria-labelledby="push">
    <h2 id="push">Push a change</h2>
    <form method="post" action="page">
      <input type="hidden" name="do" value="push" />
      <label
        >Project and branch
        <select name="to">
          ${options}
        </select></label
      >
      <button>Push a commit</button>
    </form>
    <p class="note">A real commit, by the way of a push: the hooks are called.</p>
  </section> `;
}

function projects({ projects, projectCount }: Contents): Html {
  const listed = table(
    "Projects",
    ["id", "path", "visibility", "branches with their last commit"],
    projects.map(({ id, path, visibility, archived, branches, defaultBranch }) => [
      id,
      path,
      archived ? `${visibility}, archived` : visibility,
      branches.length === 0
        ? "empty"
        : html`<ul>
            ${branches.map(
              (one) =>
                html`<li>
                  ${one.name}${one.name === defaultBranch ? " (default)" : ""}:
                  <code>${one.commit.slice(0, 8)}</code> ${one.title}, ${one.at}
                </li>`,
            )}
          </ul>`,
    ]),
  );
  if (projectCount === projects.length) return listed;
  return html`${listed}
    <p class="note">The first ${projects.length} of ${projectCount} projects.</p> `;
}

function hooks({ state }: Box, { hooks, heldWebhooks }: Contents): Html {
  const byId = new Map(state.deliveries.map((delivery) => [delivery.id, delivery]));
  const rows = hooks.map((hook) => [
    hook.id,
    hook.project,
    hook.url,
    hook.status,
    hook.deliveries.length === 0 ? "none yet" : hook.deliveries.map((row) => delivery(row, byId.get(row.id))),
  ]);
  const held = html`<p class="row">
    ${heldWebhooks} webhook calls are kept back. ${button("deliver_webhooks", "Deliver them")}
    ${button("drop_webhooks", "Lose them")}
  </p> `;
  return html`${table("Hooks", ["id", "project", "URL", "status", "last calls"], rows)}${heldWebhooks > 0 ? held : ""}`;
}

function delivery(row: DeliveryRow, whole: Delivery | undefined): Html {
  const outcome = row.error === null ? String(row.status) : `${row.status}: ${row.error}`;
  return html`<details>
    <summary>${row.at} ${row.trigger}: ${outcome} (${row.ms} ms)</summary>
    <p>Request</p>
    <pre>
${headerLines(whole?.requestHeaders)}

${cut(whole?.requestBody)}</pre>
    ${typeof row.status === "number" ? answerOf(whole) : html`<p>There was no answer.</p>`}
  </details> `;
}

function answerOf(whole: Delivery | undefined): Html {
  return html`<p>Answer</p>
    <pre>
${headerLines(whole?.responseHeaders)}

${cut(whole?.responseBody)}</pre> `;
}

function headerLines(headers: Readonly<Record<string, string>> = {}): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
}

function cut(text = ""): string {
  return text.length > 4000 ? `${text.slice(0, 4000)}…` : text;
}

function knobs({ state }: Box): Html {
  const changed = changedKnobs(state, state.start).map(([name, value]) => [name, value]);
  return html`<section aria-labelledby="knobs">
      <h2 id="knobs">Knobs</h2>
      ${switchForm(state)}
      <p>${button("reset", "All knobs as at the start")}</p>
      <p class="note">
        All knobs and actions are at <a href="knobs">knobs</a> and <a href="actions">actions</a>.
      </p>
    </section>
    ${table("Changed knobs", ["knob", "value"], changed)}`;
}

function button(action: string, words: string): Html {
  return html`<form method="post" action="page">
    <input type="hidden" name="do" value="${action}" /><button>${words}</button>
  </form>`;
}
