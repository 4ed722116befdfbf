/** Namespaces of `git push -o` that GitLab knows; others are dropped. */
const FORM = /^(ci|merge_request|mr|integrations|secret_push_protection)\.([a-z_]+)(?:=(.*))?$/s;

/** What `-o ci.skip -o mr.title=x` becomes in a payload: `{"ci":{"skip":true},"merge_request":{"title":"x"}}`. */
export function pushOptions(given: readonly string[]): Record<string, Record<string, unknown>> {
  const options: Record<string, Record<string, unknown>> = {};
  for (const option of given) {
    const [, namespace = "", name = "", value] = FORM.exec(option) ?? [];
    if (name === "") continue;
    const group = (options[namespace === "mr" ? "merge_request" : namespace] ??= {});
    // Variables may be given many times: GitLab counts them by their text.
    if (namespace === "ci" && name === "variable") group[name] = { ...Object(group[name]), [value ?? ""]: 1 };
    else group[name] = value ?? true;
  }
  return options;
}
