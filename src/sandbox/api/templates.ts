import type { Version } from "../versions.ts";

/**
 * GitLab's built-in project templates and from when to when they were offered, as far as its `project_template.rb` of 12.7, 13.x, 15.x,
 * 17.1 and 18.9 tells; in between the bounds are the nearest tree's.
 */
const TEMPLATES: Readonly<Record<string, { readonly since: number; readonly until?: number }>> = {
  rails: { since: 12 },
  spring: { since: 12 },
  express: { since: 12 },
  iosswift: { since: 12 },
  dotnetcore: { since: 12 },
  android: { since: 12 },
  gomicro: { since: 12 },
  gatsby: { since: 12, until: 18 },
  hugo: { since: 12 },
  jekyll: { since: 12 },
  plainhtml: { since: 12 },
  gitbook: { since: 12, until: 18 },
  hexo: { since: 12, until: 18 },
  middleman: { since: 13, until: 18 },
  gitpod_spring_petclinic: { since: 13 },
  nfhugo: { since: 12, until: 18 },
  nfjekyll: { since: 12, until: 18 },
  nfplainhtml: { since: 12, until: 18 },
  nfgitbook: { since: 12, until: 18 },
  nfhexo: { since: 12, until: 18 },
  salesforcedx: { since: 13 },
  serverless_framework: { since: 12 },
  tencent_serverless_framework: { since: 13 },
  jsonnet: { since: 14 },
  cluster_management: { since: 13 },
  kotlin_native_linux: { since: 14 },
  pelican: { since: 14, until: 18 },
  typo3_distribution: { since: 15 },
  laravel: { since: 15 },
  astro: { since: 17 },
  docusaurus: { since: 17 },
  nextjs: { since: 17 },
  nuxt: { since: 17 },
  nist_80053r5: { since: 17 },
  gitlab_components: { since: 17 },
};

/** What a template's project begins with; null for a template that this version does not have. */
export function templateFiles(version: Version, name: string): Readonly<Record<string, string>> | null {
  const entry = Object.hasOwn(TEMPLATES, name) ? TEMPLATES[name] : undefined;
  const major = Number(version.text.split(".")[0]);
  if (!entry || major < entry.since || (entry.until !== undefined && major >= entry.until)) return null;
  const common = {
    "README.md": `# ${name}\n\nMade from the project template \`${name}\`.\n`,
    ".gitignore": "node_modules/\n",
  };
  return { ...common, ...CONTENT[name] };
}

const PAGE =
  '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Hello</title></head>\n<body><h1>Hello, world!</h1></body>\n</html>\n';
const EXPRESS_APP = `const http = require("node:http");

const page = "<!doctype html><title>Hello</title><h1>Hello, world!</h1>";
const server = http.createServer((request, response) => {
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(page);
});
server.listen(Number(process.env.PORT || 3000));
`;
const EXPRESS_PACKAGE = JSON.stringify(
  { name: "hello", version: "0.0.0", private: true, scripts: { start: "node app.js" } },
  null,
  2,
);

/** Enough of some templates to be built and started; nothing in them has to be downloaded. */
const CONTENT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plainhtml: { "public/index.html": PAGE },
  express: { "app.js": EXPRESS_APP, "package.json": `${EXPRESS_PACKAGE}\n` },
};
