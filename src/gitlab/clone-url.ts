import type { Project } from "./gitlab.ts";

/**
 * The HTTPS clone address that the connection's token may be sent to. GitLab reports the address browsers use; where we call it by another one
 * (an internal name), the code is fetched from there too, because the token never goes to a second origin.
 */
export function cloneUrl(project: Project, baseUrl: string): string {
  const reported = URL.canParse(project.httpUrl) ? new URL(project.httpUrl).origin : null;
  if (reported === new URL(baseUrl).origin) return project.httpUrl;
  return `${baseUrl}/${project.path.split("/").map(encodeURIComponent).join("/")}.git`;
}
