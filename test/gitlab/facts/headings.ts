/**
 * Which endpoint a fact is about. Nearly all specs say it in a heading (`describe "GET /projects/:id/hooks"`); the shared examples and a few
 * headings do not, so that those are named here by file and line.
 */
const BY_LINE: Readonly<Record<string, readonly (readonly [from: number, endpoint: string])[]>> = {
  "hooks_shared_examples.rb": [
    [1, "POST /hooks/:hook_id"],
    [20, "POST /projects/:id/hooks"],
    [60, "PUT /projects/:id/hooks/:hook_id"],
    [85, "POST /projects/:id/hooks"],
    [140, "GET /projects/:id/hooks"],
    [205, "GET /projects/:id/hooks/:hook_id"],
    [285, "POST /projects/:id/hooks"],
    [372, "PUT /projects/:id/hooks/:hook_id"],
    [453, "DELETE /projects/:id/hooks/:hook_id"],
    [490, "PUT /projects/:id/hooks/:hook_id/url_variables/:key"],
    [540, "DELETE /projects/:id/hooks/:hook_id/url_variables/:key"],
    [580, "PUT /projects/:id/hooks/:hook_id/custom_headers/:key"],
    [680, "DELETE /projects/:id/hooks/:hook_id/custom_headers/:key"],
    [730, "POST /projects/:id/hooks/:hook_id/test/:trigger"],
    [970, "POST /projects/:id/hooks/:hook_id/events/:hook_log_id/resend"],
    [1030, "GET /projects/:id/hooks/:hook_id/events"],
  ],
  "metadata_spec.rb": [[1, "GET /metadata"]],
  "projects_spec.rb": [
    [1, "GET /projects/:id/languages"],
    [110, "POST /projects"],
    [160, ""],
  ],
  "namespaces_spec.rb": [
    [1, "GET /namespaces"],
    [20, ""],
  ],
  "groups_spec.rb": [
    [1, "PUT /groups/:id"],
    [60, "GET /groups"],
    [130, ""],
  ],
  "files_spec.rb": [
    [1, "GET /projects/:id/repository/files/:file_path"],
    [120, "POST /projects/:id/repository/files/:file_path"],
    [200, ""],
    [1595, "DELETE /projects/:id/repository/files/:file_path"],
    [1700, "GET /projects/:id/repository/files/:file_path"],
    [1765, ""],
  ],
  "repositories_spec.rb": [
    [1, ""],
    [340, "GET /projects/:id/repository/archive"],
    [500, ""],
  ],
  "deployments_spec.rb": [
    [1, ""],
    [830, "GET /projects/:id/deployments"],
  ],
};

export function headingOf(where: string, situation: string): string | null {
  const [path = "", line = ""] = where.split(":");
  const ranges = BY_LINE[path.split("/").at(-1) ?? ""] ?? [];
  const byLine = ranges.findLast(([from]) => from <= Number(line))?.[1] ?? "";
  if (byLine !== "") return byLine;
  const headings = situation.split(" > ").flatMap((part) => {
    const match = /^(GET|HEAD|POST|PUT|PATCH|DELETE) (:id\/|\/)(\S+)/.exec(part);
    return match ? [`${match[1]} ${match[2] === "/" ? "/" : "/projects/:id/"}${match[3]}`] : [];
  });
  const heading = headings.at(-1) ?? null;
  return (
    heading
      ?.replace(/\/\(all\/?\)|\(\/all\)|\(\.:format\)\?:sha/, "")
      .replace("members:", "members/:")
      .replace(/\/$/, "") ?? null
  );
}

/** The specs of members run once for projects and once for groups. */
export function spellingsOf(endpoint: string): readonly string[] {
  if (!endpoint.includes(":source_type")) return [endpoint];
  return ["projects", "groups"].map((type) => endpoint.replace(":source_type", type));
}
