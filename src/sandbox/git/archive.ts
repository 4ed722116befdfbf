import { launch } from "../../kernel/run.ts";
import type { Project } from "../state.ts";
import type { Repositories } from "./repositories.ts";

export const ARCHIVE_FORMATS = ["tar.gz", "tar.bz2", "tbz", "tbz2", "tb2", "bz2", "tar", "zip"] as const;
export type ArchiveFormat = (typeof ARCHIVE_FORMATS)[number];

/** The files of a commit, or of one of its folders, in one archive below one folder; null where git cannot. */
export async function readArchive(
  box: Repositories,
  project: Project,
  wanted: {
    readonly commit: string;
    readonly folder: string;
    readonly prefix: string;
    readonly format: ArchiveFormat;
  },
): Promise<Buffer | null> {
  const format = /^t?b/.test(wanted.format) || wanted.format === "tar.bz2" ? "tar.bz2" : wanted.format;
  const words = [
    "-c",
    "tar.tar.bz2.command=bzip2 -c",
    "archive",
    `--format=${format}`,
    `--prefix=${wanted.prefix}/`,
    wanted.commit,
    ...(wanted.folder === "" ? [] : ["--", wanted.folder]),
  ];
  const child = launch("git", words, {
    cwd: await box.ensure(project),
    env: box.environment,
    signal: AbortSignal.timeout(300_000),
  });
  const pieces: Buffer[] = [];
  child.stderr?.resume();
  for await (const piece of child.stdout ?? []) pieces.push(Buffer.from(piece));
  const end = await child.ended;
  return end.exitCode === 0 ? Buffer.concat(pieces) : null;
}
