import { run } from "../kernel/run.ts";

/**
 * Copies a folder: sharing blocks where the file system can (reflink), never by hard links, symbolic links in it as
 * they are. `from` itself may be a link, which the caller has found to lead where it may: copied as a link it would make the next build change the
 * release, and lead the change of modes elsewhere. Ownership and special
 * mode bits are not taken over, so a build cannot plant a set-uid file; everything becomes readable, since the replica may run as another user.
 */
export async function copyTree(from: string, to: string, signal: AbortSignal): Promise<void> {
  const options = { env: { LC_ALL: "C", PATH: "/usr/bin:/bin" }, timeoutMs: 10 * 60_000, signal };
  await run(
    "cp",
    [
      "--recursive",
      "--no-target-directory",
      "--reflink=auto",
      "--preserve=timestamps,links",
      "--",
      `${from}/.`,
      to,
    ],
    options,
  );
  await run("chmod", ["--recursive", "u+rwX,a+rX", "--", to], options);
}
