/**
 * The shell texts that run inside the sandbox. Constants: words come as positional parameters, never by interpolation.
 * POSIX sh (dash, bash, busybox).
 */

/**
 * Unshare way, run as root of a new mount, pid and ipc namespace: builds a small root of its own in memory and moves into it, so that
 * nothing of the machine is there but what was placed. `$1` an empty folder, `$2` an fstab (one `mount` for all: 25 calls of it took 40 ms),
 * `$3` folders, `$4` files and `$5` links (`target name`) to make, one per line; the rest is run in the new root.
 */
export const MOUNT_SCRIPT = `set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1 table=$2 folders=$3 files=$4 links=$5
shift 5
umask 022
mount -n -t tmpfs -o mode=0755,size=4m,nosuid,nodev sandbox "$root"
cd "$root"
IFS='
'
set -f
mkdir -p $folders
for file in $files; do : > "$file"; done
for link in $links; do ln -s "\${link%% *}" "\${link#* }"; done
mount -n -a -T "$table"
mkdir .old
pivot_root . .old
cd /
umount -n -l /.old
rmdir /.old
mount -n -o remount,bind,ro,nosuid,nodev /
exec "$@"
`;

/**
 * Every way: the sandbox's first process. Reads the environment from its input and waits for the word END before it does
 * anything: whoever started it has then written down that it exists. When the input is closed later (stop was asked, or the parent is
 * dead) the program's group gets SIGTERM, and all of the group may end in peace; whoever asked kills what does not. `$1` is `contained` when this process's end is the end of all, or `loose`: then the rest is
 * killed as far as the group goes. What follows is the program with its way of dropping rights. (`kill -TERM -- -N` is an error in dash;
 * a shell that says "Terminated" to a dead parent would get SIGPIPE.)
 */
export const INIT_SCRIPT = `set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mode=$1
shift
environment= line=
newline='
'
while IFS= read -r line; do
  [ "$line" = END ] && break
  environment=$environment$line$newline
done
[ "$line" = END ] || exit 125
exec 3<&0 </dev/null
stopping=
trap : PIPE
trap 'stopping=1' USR1
"$@" 3<&- 4<<END_OF_ENVIRONMENT &
$environment
END_OF_ENVIRONMENT
child=$!
environment=
(
  trap '' TERM
  while read -r line; do :; done
  kill -s USR1 $$
  kill -s TERM -- "-$child" || kill -s TERM "$child"
  [ "$mode" = contained ] && exit
  turns=0
  while [ "$turns" -lt 100 ] && kill -s 0 -- "-$child"; do sleep 0.1; turns=$((turns + 1)); done
  kill -s KILL -- "-$child"
) <&3 >/dev/null 2>&1 &
helper=$!
exec 3<&-
while :; do
  wait "$child" 2>/dev/null
  code=$?
  kill -s 0 "$child" 2>/dev/null || break
done
if [ -n "$stopping" ]; then
  while kill -s 0 -- "-$child" 2>/dev/null; do sleep 0.05; done
fi
[ "$mode" = contained ] && exit "$code"
kill -s KILL "$helper" 2>/dev/null
kill -s KILL -- "-$child" 2>/dev/null
exit "$code"
`;

/**
 * Every way, with the rights dropped already: takes the environment over from descriptor 4 (so that it is never in a list of words, and
 * nothing in it, such as LD_PRELOAD, touches a process with rights) and becomes the program. `$1` is the working directory.
 */
export const PROGRAM_SCRIPT = `fairlead_newline='
'
while IFS= read -r fairlead_line <&4; do eval "$fairlead_line"; done
exec 4<&-
unset fairlead_line fairlead_newline PWD OLDPWD
cd -- "$1" || exit 125
shift
unset PWD OLDPWD
exec "$@"
`;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Names that a shell cannot set or that are not ours to set: the rest of the environment is passed exactly. */
export function isSettableName(name: string): boolean {
  return (
    NAME.test(name) &&
    !/^(PPID|UID|EUID|SHELLOPTS|BASHOPTS|BASH_VERSINFO|OPTIND|PWD|OLDPWD|fairlead_\w+)$/.test(name)
  );
}

/** The environment as INIT_SCRIPT reads it: one `export` per line, single-quoted, END last. */
export function environmentText(env: Readonly<Record<string, string>>): string {
  const lines = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  return `${lines.join("")}END\n`;
}

function quote(value: string): string {
  const quoted = value.replaceAll("'", `'\\''`).replaceAll("\n", `'"$fairlead_newline"'`);
  return `'${quoted}'`;
}
