import { expect } from "vitest";
import { answers, as, check, given, only, path, query, scopes, send } from "../steps.ts";
import type { Endpoints, Situation, Step } from "../situation.ts";

const PATH = "/projects/:id/repository/files/:file_path";
const nothing = given(() => {});

const unprotected: Step = ({ project }) => project.protectedBranches.clear();

async function headOf({ api, project }: Situation): Promise<string> {
  return (await api("GET", `/projects/${project.id}/repository/branches/main`)).commit.id;
}

const lastCommit: Step = async (situation) => send({ last_commit_id: await headOf(situation) })(situation);
const bySha: Step = async (situation) => query({ ref: await headOf(situation) })(situation);
/** The file has changed since the commit that the request names. */
const stale: Step = async (situation) => {
  await lastCommit(situation);
  await situation.world.scene.sandbox.state.commit(situation.project, { "lib/a.txt": "changed\n" });
};

const WRITE = { branch: "main", content: "puts 8", commit_message: "Added newfile" };
const AUTHOR = { author_email: "user@example.org", author_name: "John Doe" };
const EMPTY_MESSAGE = send({ commit_message: "" });
const written: Step = async ({ checks }) => {
  checks.push(async (_answer, { api, project }) => {
    const file = await api("GET", `/projects/${project.id}/repository/commits/main`);
    expect(file.author_name).toBe(AUTHOR.author_name);
  });
};

const READS = [
  [/path is absolute/, path({ file_path: "/absolute.txt" })],
  [/file path is invalid/, path({ file_path: "../../etc/passwd" })],
  [/by commit sha/, bySha],
  [/mandatory params are not given/, withoutRef],
  [/when file_path .*404/, path({ file_path: "app/models/application.rb" })],
  [/403 status/, as("guest")],
] as const;

export const files: Endpoints = {
  [`GET ${PATH}`]: {
    base: [as("reporter"), path({ file_path: "lib/a.txt" }), query({ ref: "main" })],
    rules: [
      ...READS,
      [/attributes in headers/, named("x-gitlab-file-name", "a.txt")],
      [/executable file/, executable, check((body) => expect(body.execute_filemode).toBe(true))],
      [/has txt extension/, answers({ file_name: "a.txt", encoding: "base64" })],
      [/pathspec/, pathspec, path({ file_path: ":wq" })],
      [
        /remains unchanged/,
        nothing,
        check((body) => expect(Buffer.from(body.content, "base64").toString()).toBe("a\n")),
      ],
      [
        /base64-encoded text/,
        answers({ encoding: "base64", content: Buffer.from("a\n").toString("base64") }),
      ],
    ],
  },
  [`GET ${PATH}/blame`]: {
    base: [as("reporter"), path({ file_path: "lib/a.txt" }), query({ ref: "main" })],
    rules: [
      [/attributes in headers/, named("x-gitlab-file-name", "a.txt")],
      [/blame file attributes as json/, check(([range]) => expect(range.lines).toEqual(["a"]))],
      [/attributes as json for the range/, query({ "range[start]": 1, "range[end]": 1 })],
      [/start > end/, query({ "range[start]": 2, "range[end]": 1 })],
      [/range is incomplete/, query({ "range[start]": 1 })],
      [/negative integers/, query({ "range[start]": -1, "range[end]": -2 })],
      [/range is missing/, query({ "range[start]": "", "range[end]": "" })],
      [/files with dots/, path({ file_path: "files/dots.in.name.txt" })],
      [/by commit sha/, bySha],
    ],
  },
  [`POST ${PATH}`]: {
    base: [as("developer"), unprotected, path({ file_path: "new/newfile.rb" }), send(WRITE)],
    rules: [
      [
        /new executable file/,
        send({ execute_filemode: true }),
        answers({ file_path: "new/newfile.rb", branch: "main" }),
      ],
      [/ai_workflows scope > when the user/, scopes("ai_workflows"), as("guest")],
      [/no mandatory params/, only({})],
      [/message is empty/, EMPTY_MESSAGE],
      [/editor fails/, path({ file_path: "lib/a.txt/below.txt" })],
      [/`read_repository` scope/, scopes("read_repository")],
      [/`api` scope/, scopes("api")],
      [/specifying an author/, send(AUTHOR), written],
      [/invalid json/, only("{", "application/json")],
    ],
  },
  [`PUT ${PATH}`]: {
    base: [as("developer"), unprotected, path({ file_path: "lib/a.txt" }), send(WRITE)],
    rules: [
      [/updates existing file/, answers({ file_path: "lib/a.txt" })],
      [/message is empty/, EMPTY_MESSAGE],
      [/nil content/, send({ encoding: "base64", content: null })],
      [/stale last commit id/, stale],
      [/correct last commit id/, lastCommit],
      [/no params given/, only({})],
      [/specifying an author/, send(AUTHOR), written],
      [/to executable file mode/, send({ execute_filemode: true })],
      [/to non-executable/, send({ execute_filemode: false })],
    ],
  },
  [`DELETE ${PATH}`]: {
    base: [
      as("developer"),
      unprotected,
      path({ file_path: "lib/a.txt" }),
      send({ branch: "main", commit_message: "Changed" }),
    ],
    rules: [
      [/deletes existing file/, nothing],
      [/specifying an author/, send(AUTHOR), written],
      [/correct last_commit_id/, lastCommit],
      [/no params given/, only({})],
      [/message is empty/, EMPTY_MESSAGE],
      [/stale last_commit_id/, stale],
      [/fails to delete/, path({ file_path: "unknown.txt" })],
    ],
  },
};

function withoutRef(situation: Situation): void {
  situation.query = {};
}

function named(name: string, value: string): Step {
  return ({ checks }) => {
    checks.push(({ headers }) => expect(headers.get(name)).toBe(value));
  };
}

async function executable({ api, project }: Situation): Promise<void> {
  const body = { ...WRITE, execute_filemode: true };
  await api("PUT", `/projects/${project.id}/repository/files/lib%2Fa.txt`, body);
}

async function pathspec({ world, project }: Situation): Promise<void> {
  await world.scene.sandbox.state.commit(project, { ":wq": "w\n" });
}
