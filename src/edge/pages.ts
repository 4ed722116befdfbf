import type { IncomingMessage, ServerResponse } from "node:http";

/** Answers of the edge itself. `x-fairlead` names them for programs. */
const PAGES = {
  "bad-request": {
    status: 400,
    title: "Bad request",
    text: "This request contradicts itself or names no host.",
  },
  "no-route": { status: 404, title: "Nothing here", text: "No app is deployed at this address." },
  "no-targets": { status: 503, title: "Not running", text: "This app has no running copy at the moment." },
  "bad-gateway": {
    status: 502,
    title: "App did not answer",
    text: "The app at this address does not answer. Its logs say why.",
  },
  "gateway-timeout": {
    status: 504,
    title: "App is too slow",
    text: "The app at this address took too long to answer.",
  },
} as const;

export type PageName = keyof typeof PAGES;

/** Answers with one of the edge's own pages, or cuts the connection when an answer has begun already. */
export function answerPage(request: IncomingMessage, response: ServerResponse, name: PageName): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const page = PAGES[name];
  const html = (request.headers.accept ?? "").includes("text/html");
  const body = html ? htmlOf(page) : `${page.title}: ${page.text}\n`;
  const headers: Record<string, string | number> = {
    "content-type": `text/${html ? "html" : "plain"}; charset=utf-8`,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    "x-fairlead": name,
  };
  // Where this request ends is what is in doubt: nothing more is read from the connection.
  if (name === "bad-request") headers.connection = "close";
  response.writeHead(page.status, headers);
  response.end(body);
}

function htmlOf(page: { readonly status: number; readonly title: string; readonly text: string }): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${page.title}</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:32em;margin:20vh auto 0;padding:0 1em}
small{color:#667}@media(prefers-color-scheme:dark){body{background:#15181c;color:#dde}}</style></head>
<body><h1>${page.title}</h1><p>${page.text}</p><small>${page.status} · Fairlead</small></body></html>
`;
}
