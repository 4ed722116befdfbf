import { becomeUser, firstProcess } from "./wrap-program.ts";
import { MOUNT_SCRIPT } from "./sandbox-scripts.ts";
import { isInside, type Mount, type SandboxSpec, type Tools, type Wrapped } from "./sandbox-spec.ts";

/**
 * Namespaces by util-linux alone. As root: mount, pid and ipc namespaces, then another user without any right. As an ordinary
 * user: a user namespace too, in which we are root just long enough to place the mounts, and a second one in it that maps back to
 * ourselves. Parent dead → `unshare` is killed → its child, the first process of the pid namespace, is killed → everything in it is.
 */
export function wrapInUnshare(
  tools: Tools & { readonly unshare: string; readonly setpriv: string },
  spec: SandboxSpec,
  options: { readonly root: boolean; readonly emptyFolder: string; readonly table: string },
): Wrapped {
  const { root, emptyFolder, table } = options;
  const plan = mountPlan(spec);
  return {
    file: tools.setpriv,
    args: [
      "--pdeathsig=KILL",
      "--",
      tools.unshare,
      ...(root ? [] : ["--user", "--map-root-user"]),
      "--mount",
      "--pid",
      "--ipc",
      "--fork",
      "--kill-child=KILL",
      "--",
      tools.sh,
      "-c",
      MOUNT_SCRIPT,
      "fairlead-mount",
      emptyFolder,
      table,
      plan.folders,
      plan.files,
      plan.links,
      ...firstProcess(tools, spec, true, root ? becomeUser(tools, spec) : becomeOneself(tools, spec)),
    ],
  };
}

function becomeOneself(
  tools: Tools & { readonly unshare: string; readonly setpriv: string },
  spec: SandboxSpec,
): readonly string[] {
  return [
    tools.unshare,
    "--user",
    `--map-user=${spec.user.uid}`,
    `--map-group=${spec.user.gid}`,
    "--",
    tools.setpriv,
    "--no-new-privs",
    "--",
  ];
}

const DEVICES = ["null", "zero", "full", "random", "urandom", "tty"];

/** The table for `mount -a`, in order: a later line may lie in an earlier one. */
export function mountTable(spec: SandboxSpec, emptyFolder: string): string {
  const line = (from: string, at: string, type: string, options: string): string =>
    `${escapeField(from)} ${escapeField(emptyFolder + at)} ${type} ${options} 0 0\n`;
  return [
    ...placeable(spec).map((mount) =>
      mount.kind === "memory"
        ? line("memory", mount.at, "tmpfs", "mode=1777,size=1g,nosuid,nodev")
        : line(mount.from, mount.at, "none", mountOptions(mount)),
    ),
    line("proc", "/proc", "proc", "nosuid,nodev,noexec"),
    ...DEVICES.map((name) => line(`/dev/${name}`, `/dev/${name}`, "none", "bind")),
    line("devpts", "/dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,nosuid,noexec"),
    line("shm", "/dev/shm", "tmpfs", "mode=1777,size=256m,nosuid,nodev"),
  ].join("");
}

/**
 * A file's mount point cannot be made in a mount of the kind `memory`: `X-mount.mkdir` makes folders only. The only such file is the
 * `package.json` of a Fairlead that lies in /tmp, without which its static server starts all the same, a little slower.
 */
function placeable(spec: SandboxSpec): readonly Mount[] {
  const memory = spec.mounts.filter((mount) => mount.kind === "memory");
  return spec.mounts.filter(
    (mount) => mount.kind !== "file" || !memory.some((one) => isInside(mount.at, one.at)),
  );
}

/**
 * `rbind`, because in a user namespace a mount with others in it can only be taken along whole; `nosuid,nodev` also
 * because a user namespace may not drop them when it makes a mount read-only. The mount point is made when it lies in a mount
 * of the kind `memory`, which nobody has written yet: never in a folder where a program could have left a link.
 */
function mountOptions(mount: Mount): string {
  const bind = mount.kind === "folder" ? "rbind" : "bind";
  const make = mount.kind === "folder" ? ",X-mount.mkdir" : "";
  return mount.writable ? `${bind}${make}` : `${bind},ro,nosuid,nodev${make}`;
}

/** Spaces and backslashes as fstab(5) wants them. */
export function escapeField(path: string): string {
  return path.replaceAll(
    /[\s\\#"']/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

function mountPlan(spec: SandboxSpec): { folders: string; files: string; links: string } {
  const folders = new Set(["proc", "dev/pts", "dev/shm", "run", "tmp", "var", "home", "root"]);
  const files = DEVICES.map((name) => `dev/${name}`);
  for (const mount of placeable(spec)) {
    const relative = mount.at.slice(1);
    if (mount.kind !== "file") folders.add(relative);
    else {
      folders.add(relative.slice(0, relative.lastIndexOf("/")));
      files.push(relative);
    }
  }
  const links = [
    ...spec.links.map((link) => `${link.target} ${link.at.slice(1)}`),
    "/proc/self/fd dev/fd",
    "/proc/self/fd/0 dev/stdin",
    "/proc/self/fd/1 dev/stdout",
    "/proc/self/fd/2 dev/stderr",
    "pts/ptmx dev/ptmx",
  ];
  return { folders: [...folders].join("\n"), files: files.join("\n"), links: links.join("\n") };
}
