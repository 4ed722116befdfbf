import { forbidden, ok } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import { getProject } from "./find-project.ts";
import { importFields } from "./import-entity.ts";
import { importSourceEnabled } from "./import-source.ts";
import { projectIdentity } from "./project-entity.ts";

/** Until 15.11 the status is only told where imports of project archives are on, whatever was imported (§9.5). */
function checkSource(call: Call): void {
  const { box } = call;
  if (box.version.has("importStatusWithoutSource") || importSourceEnabled(box, "gitlab_project")) return;
  throw forbidden();
}

export const importRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/projects/:id/import",
    before: checkSource,
    params: {},
    handle: (call) => {
      const project = getProject(call);
      const fields = importFields(call.box, project, call.authenticate());
      const { import_url: _url, ...status } = fields;
      return ok({
        ...projectIdentity(call.box, project),
        ...status,
        correlation_id: null,
        failed_relations: [],
        stats: null,
      });
    },
  }),
];
