import type { Project } from "../state.ts";
import { readCommits, type Commit } from "./read.ts";
import type { Repositories } from "./repositories.ts";

export interface Tag {
  readonly name: string;
  /** The tag object of an annotated tag, the commit of a light one. */
  readonly target: string;
  /** null: a light tag. */
  readonly message: string | null;
  /** When an annotated tag was made. */
  readonly createdAt: string | null;
  readonly commit: Commit;
}

const PREFIX = "refs/tags/";
const FIELDS = ["refname", "objecttype", "objectname", "*objectname", "taggerdate:iso-strict", "contents"];
const FORMAT = FIELDS.map((field) => `%(${field})%00`).join("");

/** Tags of commits, by name, with two processes however many there are. `name` wants one of them. */
export async function readTags(box: Repositories, project: Project, name?: string): Promise<Tag[]> {
  const words = ["for-each-ref", `--format=${FORMAT}`, name === undefined ? PREFIX : PREFIX + name];
  const fields = (await box.git(project, words)).split("\0");
  const rows: string[][] = [];
  for (let at = 0; at + FIELDS.length < fields.length; at += FIELDS.length) {
    rows.push(fields.slice(at, at + FIELDS.length));
  }
  const wanted = rows.filter(([ref]) => name === undefined || ref?.trimStart() === PREFIX + name);
  if (wanted.length === 0) return [];
  const shas = [...new Set(wanted.map(([, , id, peeled]) => peeled || id || ""))];
  const commits = await readCommits(box, project, ["--no-walk=unsorted", ...shas]);
  const byId = new Map(commits.map((commit) => [commit.id, commit]));
  return wanted.flatMap((row) => tagOf(row, byId));
}

function tagOf(row: readonly string[], commits: ReadonlyMap<string, Commit>): Tag[] {
  const [ref = "", type, id = "", peeled, date = "", contents = ""] = row;
  const commit = commits.get(peeled || id);
  if (!commit) return [];
  const annotated = type === "tag";
  return [
    {
      name: ref.trimStart().slice(PREFIX.length),
      target: id,
      message: annotated ? contents.trimEnd() : null,
      createdAt:
        annotated && date !== ""
          ? date.replace(/Z$|(?=[+-]\d\d:\d\d$)/, ".000$&").replace("Z", "+00:00")
          : null,
      commit,
    },
  ];
}
