import type { Box } from "./box.ts";
import type { Reply } from "./reply.ts";

/** `GET /`: what this sandbox holds. Tokens are shown without their value, which it does not keep. */
export function homePage(box: Box): Reply {
  const { state, version } = box;
  const projects = [...state.projects.values()].map((project) => {
    const hooks = [...state.hooks.values()].filter((hook) => hook.projectId === project.id);
    return [
      project.id,
      project.fullPath,
      project.visibility,
      project.defaultBranch,
      hooks.map((hook) => hook.url).join(" "),
    ];
  });
  const tokens = [...state.tokens.values()].map((token) => [
    token.id,
    state.users.get(token.userId)?.username ?? "",
    token.name,
    token.scopes.join(" "),
    token.revoked ? "revoked" : (token.expiresAt ?? "never"),
  ]);
  const deliveries = state.deliveries
    .slice(-20)
    .map((delivery) => [delivery.createdAt, delivery.trigger, delivery.url, delivery.responseStatus]);
  const text = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Sandbox GitLab ${escape(version.text)}</title>
<style>body{font:15px system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ccc;padding:.3rem .6rem;text-align:left;overflow-wrap:anywhere}</style></head>
<body>
<h1>Sandbox GitLab ${escape(version.text)}</h1>
<p>A GitLab in a box for tests and demonstrations. It is no place for real code: everything here is gone when it ends.</p>
${table("Projects", ["id", "path", "visibility", "default branch", "hooks"], projects)}
${table("Tokens", ["id", "user", "name", "scopes", "expires"], tokens)}
${table("Latest webhooks", ["at", "trigger", "to", "answer"], deliveries)}
</body>
</html>
`;
  return {
    status: 200,
    contentType: "text/html; charset=utf-8",
    text,
    headers: { "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'" },
  };
}

type Cell = string | number;

function table(title: string, columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const head = columns.map((column) => `<th>${escape(column)}</th>`).join("");
  const body = rows
    .map((row) => `<tr>${row.map((cell) => `<td>${escape(String(cell))}</td>`).join("")}</tr>`)
    .join("\n");
  return `<h2>${escape(title)}</h2>\n<table><tr>${head}</tr>\n${body}\n</table>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
