/** `search` of branches and tags: knows `^start` and `end$`, without regard to case. */
export function searchPattern(search: string | undefined): (name: string) => boolean {
  const wanted = (search ?? "").toLowerCase();
  if (wanted.startsWith("^")) return (name) => name.toLowerCase().startsWith(wanted.slice(1));
  if (wanted.endsWith("$")) return (name) => name.toLowerCase().endsWith(wanted.slice(0, -1));
  return (name) => name.toLowerCase().includes(wanted);
}
