import { becomeUser, firstProcess } from "./wrap-program.ts";
import type { SandboxSpec, Tools, Wrapped } from "./sandbox-spec.ts";

/**
 * bubblewrap: also works where an ordinary user may not make user namespaces but the distribution allows bwrap to. As root no user
 * namespace is made: bwrap as another user could not reach a data directory that only root may enter, so the first process keeps
 * just the rights that `setpriv` needs to become the sandbox's user.
 */
export function wrapInBwrap(
  tools: Tools & { readonly bwrap: string },
  spec: SandboxSpec,
  options: { readonly root: boolean },
): Wrapped {
  const user = options.root
    ? ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_KILL"].flatMap((right) => ["--cap-add", right])
    : ["--unshare-user", "--uid", String(spec.user.uid), "--gid", String(spec.user.gid)];
  return {
    file: tools.bwrap,
    args: [
      ...user,
      "--unshare-pid",
      "--unshare-ipc",
      "--die-with-parent",
      ...["run", "tmp", "var", "home", "root"].flatMap((name) => ["--dir", `/${name}`]),
      ...spec.mounts.flatMap((mount) => [
        ...foldersAbove(mount.at),
        ...(mount.kind === "memory"
          ? ["--perms", "1777", "--tmpfs", mount.at]
          : [mount.writable ? "--bind" : "--ro-bind", mount.from, mount.at]),
      ]),
      ...spec.links.flatMap((link) => ["--symlink", link.target, link.at]),
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "--remount-ro",
      "/",
      "--chdir",
      "/",
      "--",
      ...firstProcess(tools, spec, true, options.root ? becomeUser(tools, spec) : []),
    ],
  };
}

/** bwrap makes them too, but so that only root may pass. */
function foldersAbove(path: string): readonly string[] {
  const names = path.split("/").slice(1, -1);
  return names.flatMap((_, i) => ["--dir", `/${names.slice(0, i + 1).join("/")}`]);
}
