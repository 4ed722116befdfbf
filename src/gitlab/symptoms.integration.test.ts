import { expect, test } from "vitest";
import { startAnswering, type Asked, type Reply } from "../../test/support/answering-server.ts";
import { SYMPTOMS } from "../faults/symptoms.ts";
import { toFault, type Fault } from "../faults/fault.ts";
import { RunError } from "../kernel/run.ts";
import { Secret } from "../kernel/secret.ts";
import { classify } from "../source/classify.ts";
import { createGitLab } from "./client.ts";
import type { GitLab } from "./gitlab.ts";
import { identifyGitLab } from "./identify.ts";
import type { Request } from "./request.ts";
import { createTransport } from "./transport.ts";

/**
 * Each symptom of the reference's table in its form on the wire, through a real socket, and the one cause that is made of it. What is no answer of
 * GitLab's (a payload, a check's finding) is in `ELSEWHERE`, with the place that tells it.
 */
interface Scene {
  readonly gitlab: GitLab;
  readonly url: string;
  /** Any request, for answers whose place no call of ours has. */
  readonly send: (request: Omit<Request, "signal">) => Promise<unknown>;
}

type Wire = Reply | ((asked: Asked) => Reply);
type Act = (scene: Scene) => Promise<unknown>;
type Row = readonly [symptom: number, wire: Wire, act: Act];

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Reply => ({
  status,
  body,
  headers,
});
const plain = (status: number, body: string): Reply => ({
  status,
  body,
  headers: { "content-type": "text/plain" },
});
const says = (status: number, message: unknown): Reply => json(status, { message });
const account = (text: string): Reply => says(403, `403 Forbidden - ${text}`);
const oauth = (status: number, error: string, words: string): Reply =>
  json(status, { error, error_description: words, scope: "api read_api" });
const project = { id: 1, path_with_namespace: "g/p", web_url: "http://x/g/p" };

const user: Act = ({ gitlab }) => gitlab.getUser();
const byId: Act = ({ gitlab }) => gitlab.getProject(1);
const hooks: Act = ({ gitlab }) => gitlab.listHooks(1);
const testHook: Act = ({ gitlab }) => gitlab.testHook(1, 2);
const settings = {
  url: "https://deploy.acme.lan/hooks/x",
  token: new Secret("secret-secret"),
  signingToken: new Secret("whsec_x"),
  name: "fairlead",
};
const createHook: Act = ({ gitlab }) => gitlab.createHook(1, settings);
const createKey: Act = ({ gitlab }) => gitlab.createDeployKey(1, "t", "ssh-ed25519 AAAA");
const status: Act = ({ gitlab }) =>
  gitlab.setCommitStatus(1, "a".repeat(40), {
    state: "pending",
    ref: "main",
    name: "fairlead",
    targetUrl: null,
    description: "",
  });
const create =
  (more: Record<string, unknown> = {}): Act =>
  ({ send }) =>
    send({ method: "POST", template: "/projects", body: { name: "shop", ...more } });
const imported = create({ import_url: "https://else.invalid/x.git" });
const probeGit: Act = ({ gitlab }) => gitlab.probeGit("read");
/** What git printed, as the classifier of `source/` sees it. */
const git =
  (words: string): Act =>
  () => {
    const failure = new RunError("exit", "git", { exitCode: 128, stderr: words });
    throw classify(failure, words, "git.acme.lan", undefined);
  };
const nothing: Reply = { status: 204 };

const ROWS: readonly Row[] = [
  [1, says(401, "401 Unauthorized"), user],
  [
    2,
    oauth(401, "invalid_token", "Token is expired. You can either do re-authorization or token refresh."),
    user,
  ],
  [3, oauth(401, "invalid_token", "Token was revoked. You have to re-authorize from the user."), user],
  [4, oauth(401, "invalid_token", "Token is an impersonation token but impersonation was disabled."), user],
  [
    5,
    ({ method }) =>
      method === "GET" ? json(200, { id: 1, username: "amy" }) : oauth(403, "insufficient_scope", "x"),
    async ({ gitlab }) => {
      await gitlab.getUser();
      await gitlab.probeApiScope();
    },
  ],
  [6, oauth(403, "insufficient_scope", "The request requires higher privileges"), user],
  [7, oauth(403, "insufficient_granular_scope", "Access denied: Your Personal Access Token lacks x"), user],
  [8, account("Your account has been blocked."), user],
  [9, account("Your account has been blocked."), user],
  [10, account("You (@amy) must accept the Terms of Service in order to perform this action."), user],
  [11, account("Your account has been deactivated by your administrator. Please log back in"), user],
  [12, account("Your password expired. Please access GitLab from a web browser"), user],
  [13, account("Your primary email address is not confirmed. Please check your inbox"), user],
  [14, account("Your account is pending approval from your administrator and hence blocked."), user],
  [
    15,
    ({ url }) =>
      url.endsWith("/user") ? json(200, { id: 1, username: "amy" }) : says(401, "401 Unauthorized"),
    ({ gitlab }) => gitlab.findToken(),
  ],
  [
    16,
    ({ url }) =>
      url.endsWith("/user") ? json(200, { id: 1, username: "amy" }) : json(404, { error: "404 Not Found" }),
    ({ gitlab }) => gitlab.findToken(),
  ],
  [
    17,
    says(400, "400 Bad request - This endpoint requires token type to be a personal access token"),
    ({ gitlab }) => gitlab.findToken(),
  ],
  [18, json(404, { error: "404 Not Found" }), ({ url }) => identifyGitLab({ baseUrl: url })],
  [
    19,
    ({ url }) => (url.includes("%2F") ? json(404, { error: "404 Not Found" }) : json(200, [project])),
    ({ gitlab }) => gitlab.getProject("g/p"),
  ],
  [20, says(404, "404 Project Not Found"), byId],
  [21, { status: 301, body: "moved", headers: { location: "/api/v4/projects/7" } }, byId],
  [22, says(405, "Non GET methods are not allowed for moved projects"), createHook],
  [23, says(403, "403 Forbidden"), hooks],
  [24, json(422, { error: "Invalid url given" }), createHook],
  [25, says(422, "URL is blocked: Requests to the local network are not allowed"), testHook],
  [
    26,
    says(422, "URL is blocked: Requests to hosts and IP addresses not on the Allow List are denied"),
    testHook,
  ],
  [27, says(422, "Failed to open TCP connection to deploy.acme.lan:443 (execution expired)"), testHook],
  [28, says(422, "SSL_connect returned=1 errno=0 state=error: certificate verify failed"), testHook],
  [29, says(422, '{"accepted":false}'), testHook],
  [30, json(422, { error: "Maximum number of project hooks (100) exceeded" }), createHook],
  [30, says(422, { base: ["Maximum number of project hooks (100) exceeded"] }), createHook],
  [
    30,
    says(404, '404 Project hook {:base=>["Maximum number of project hooks (100) exceeded"]} Not Found'),
    createHook,
  ],
  [33, says(422, "Silent mode enabled"), testHook],
  [34, says(429, { error: "This endpoint has been requested too many times. Try again later." }), testHook],
  [37, says(400, { "deploy_key.fingerprint_sha256": ["has already been taken"] }), createKey],
  [37, says(400, { "deploy_key.key": [], fingerprint: ["has already been taken"] }), createKey],
  [38, says(400, { "deploy_key.key": ["type is forbidden. Must be DSA or RSA"] }), createKey],
  [38, says(400, { "deploy_key.key": ["must be at least 4096 bits"] }), createKey],
  [
    39,
    nothing,
    git("remote: The project you were looking for could not be found or you don't have permission"),
  ],
  [41, nothing, git("git@git.acme.lan: Permission denied (publickey).\nfatal: Could not read from remote")],
  [42, plain(401, "HTTP Basic: Access denied. If a password was provided"), probeGit],
  [42, nothing, git("remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://x/'")],
  [43, nothing, git("remote: You are not allowed to download code.\nThe requested URL returned error: 403")],
  [44, nothing, git("remote: You are not allowed to upload code.\nThe requested URL returned error: 403")],
  [45, nothing, git("remote: You are not allowed to download code from this project.")],
  [46, plain(403, "Git access over HTTP is not allowed"), probeGit],
  [46, nothing, git("remote: Git access over HTTP is not allowed")],
  [47, nothing, git("remote: You can't push code to an archived project.")],
  [
    48,
    nothing,
    git("remote: GitLab: You are not allowed to push code to protected branches on this project."),
  ],
  [49, says(400, { limit_reached: [], namespace: ["is not valid"] }), create()],
  [
    50,
    json(403, {
      error: ["You've reached your limit of 0 projects created. Contact your GitLab administrator."],
    }),
    create(),
  ],
  [
    51,
    says(400, { "project_namespace.name": ["has already been taken"], path: ["has already been taken"] }),
    create(),
  ],
  [
    52,
    says(400, { visibility_level: ["public has been restricted by your GitLab administrator"] }),
    create(),
  ],
  [53, says(403, "403 Forbidden"), imported],
  [54, says(422, "Unable to access repository with the URL and credentials provided"), imported],
  [55, says(422, "Requests to the local network are not allowed"), imported],
  [55, says(400, { import_url: ["is blocked: Requests to the local network are not allowed"] }), imported],
  [56, says(400, { user: ["is not allowed to import projects"] }), imported],
  [58, says(400, 'Cannot transition status via :run from :running (Reason(s): "run")'), status],
  [59, says(404, "404 References for commit Not Found"), status],
  [60, ({ method }) => (method === "POST" ? says(403, "403 Forbidden") : json(200, project)), status],
  [
    61,
    { ...plain(429, "Retry later\n"), headers: { "content-type": "text/plain", "retry-after": "900" } },
    user,
  ],
  [
    62,
    json(
      429,
      { message: { error: "This endpoint has been requested too many times." } },
      { "retry-after": "900" },
    ),
    user,
  ],
  [63, json(503, { message: "GitLab is in maintenance mode" }, { "retry-after": "900" }), createHook],
  [64, { status: 301, headers: { location: "/" } }, createHook],
  [65, says(403, "You cannot perform write operations on a read-only instance"), createHook],
  [
    66,
    (asked) => ({ status: 301, headers: { location: `https://${asked.headers.host}${asked.url}` } }),
    createHook,
  ],
  [67, { body: "<title>We will be back</title>" }, user],
  [68, { status: 502, body: "<title>GitLab is not responding</title>" }, createHook],
  [69, says(403, "403 Forbidden"), ({ gitlab }) => gitlab.findSettings()],
  [
    70,
    ({ url }) =>
      url.includes("keyset")
        ? json(405, { error: "Keyset pagination is not yet available for this type of request" })
        : json(200, [project]),
    ({ gitlab }) => gitlab.listProjects(),
  ],
  [71, json(200, [project], { "x-next-page": "2" }), ({ gitlab }) => gitlab.listProjects()],
  [
    72,
    ({ url }) =>
      url.includes("/files/")
        ? says(404, "404 Commit Not Found")
        : json(200, { ...project, empty_repo: true }),
    ({ gitlab }) => gitlab.findFile(1, "README.md", "main"),
  ],
  [73, says(404, "404 Repository Not Found"), ({ gitlab }) => gitlab.listBranches(1)],
  [
    73,
    ({ url }) =>
      url.includes("/tree")
        ? says(403, "403 Forbidden")
        : json(200, { ...project, repository_access_level: "disabled" }),
    ({ gitlab }) => gitlab.listTree(1, { ref: "main" }),
  ],
  [74, says(403, "403 Forbidden"), user],
  [75, json(400, { error: "No parameters provided" }), ({ gitlab }) => gitlab.updateHook(1, 2, settings)],
];

/** No answer to a request: what tells it, and where that is tested. */
const ELSEWHERE: ReadonlyMap<number, string> = new Map([
  [31, "a field of the hook, `alert_status`: the check hook.present"],
  [32, "nothing at all on the wire: polling finds the commits"],
  [35, "a payload: `gitlab/webhook-payload.ts`"],
  [36, "a call without a secret: `gitlab/webhook.ts`"],
  [40, "pushing with a deploy key, which Fairlead never does"],
  [57, "a field of the project, `import_status`"],
]);

async function faultOfRow([, wire, act]: Row): Promise<Fault | null> {
  await using server = await startAnswering(typeof wire === "function" ? wire : () => wire);
  const options = { baseUrl: server.url, token: new Secret("glpat-S3cr3tT0ken") };
  await using gitlab = createGitLab(options);
  await using transport = createTransport(options);
  try {
    await act({ gitlab, url: server.url, send: (request) => transport.send(request) });
    return null;
  } catch (error) {
    return toFault(error);
  }
}

test.each(ROWS.map((row) => [row[0], SYMPTOMS[row[0] - 1]?.seen ?? "", row] as const))(
  "%i: %s",
  async (number, _seen, row) => {
    const fault = await faultOfRow(row);
    const expected = SYMPTOMS[number - 1]?.fault ?? null;
    expect(fault && [fault.code, fault.reason]).toEqual(expected);
  },
);

test("every one of the 75 is met here or elsewhere", () => {
  const met = new Set([...ROWS.map(([number]) => number), ...ELSEWHERE.keys()]);
  expect(SYMPTOMS.map((_, index) => index + 1).filter((number) => !met.has(number))).toEqual([]);
  expect(SYMPTOMS).toHaveLength(75);
});
