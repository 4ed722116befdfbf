import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import type { Containment } from "./containment.ts";
import type { SandboxSpec, Tools, Wrapped } from "./sandbox-spec.ts";
import { wrapInBwrap } from "./wrap-bwrap.ts";
import { wrapPlain } from "./wrap-plain.ts";
import { mountTable, wrapInUnshare } from "./wrap-unshare.ts";

/** A way of running a program apart from Fairlead. The start-up probe decides which one is used. */
export interface Way {
  readonly method: "bwrap" | "unshare" | "uid" | "none";
  /** Whether the sandbox has a file tree of its own: the program then finds its folder at `/app`. */
  readonly ownTree: boolean;
  /** Whether programs run as another user than Fairlead, so that folders must be handed over to it. */
  readonly otherUser: boolean;
  /** `folder` is the launch's own, for a file that the way needs as long as the sandbox may be started. */
  wrap(spec: SandboxSpec, folder: string): Promise<Wrapped>;
  containment(spec: SandboxSpec, word: string): Containment;
}

/** The ways that the installed programs allow, best first. Whether one works must be tried. */
export function listWays(tools: Tools, root: boolean, emptyFolder: string): readonly Way[] {
  const { bwrap, unshare, setpriv, sh } = tools;
  const ways: Way[] = [];
  const namespace = (): Containment => ({ kind: "namespace" });
  if (bwrap !== null && (!root || setpriv !== null)) {
    ways.push({
      method: "bwrap",
      ownTree: true,
      otherUser: root,
      wrap: async (spec) => wrapInBwrap({ ...tools, bwrap }, spec, { root }),
      containment: namespace,
    });
  }
  if (unshare !== null && setpriv !== null) {
    ways.push({
      method: "unshare",
      ownTree: true,
      otherUser: root,
      wrap: async (spec, folder) => {
        const table = join(folder, "mounts");
        await writeFile(table, mountTable(spec, emptyFolder), { mode: 0o600 });
        return wrapInUnshare({ ...tools, unshare, setpriv }, spec, { root, emptyFolder, table });
      },
      containment: namespace,
    });
  }
  if (root && setpriv !== null) {
    ways.push({
      method: "uid",
      ownTree: false,
      otherUser: true,
      wrap: async (spec) => wrapPlain(tools, spec, { secondUser: true }),
      containment: (spec) => ({ kind: "user", uid: spec.user.uid, setpriv, sh }),
    });
  }
  ways.push({
    method: "none",
    ownTree: false,
    otherUser: false,
    wrap: async (spec) => wrapPlain(tools, spec, { secondUser: false }),
    containment: (_spec, word) => ({ kind: "marker", word }),
  });
  return ways;
}
