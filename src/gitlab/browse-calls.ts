import { Fault } from "../faults/fault.ts";
import type { Browse, Group, TreeEntry } from "./browse.ts";
import {
  groupSchema,
  listedBranchSchema,
  memberSchema,
  namespaceSchema,
  treeEntrySchema,
} from "./browse-schemas.ts";
import { findFile, refineRepository } from "./file-calls.ts";
import { readListing } from "./pages.ts";
import { parseAs } from "./parse.ts";
import type { Request } from "./request.ts";
import { projectSchema } from "./schemas.ts";
import type { Transport } from "./transport.ts";

/** Groups, projects, branches, folders and files, a page per request. */
export function createBrowseCalls(transport: Transport): Browse {
  return {
    listGroups: ({ parentId, topLevelOnly, minAccessLevel, search, cursor } = {}, call) => {
      const query = known({
        search,
        min_access_level: minAccessLevel,
        top_level_only: topLevelOnly,
        order_by: "path",
      });
      const where =
        parentId === undefined
          ? { template: "/groups" }
          : { template: "/groups/:id/subgroups", params: { id: parentId } };
      return readListing(transport, { ...where, query, ...call }, groupSchema, { cursor });
    },

    getGroup: (id, call) => getGroup(transport, id, call),

    listProjects: ({ groupId, minAccessLevel, archived, simple, search, cursor } = {}, call) => {
      const filter = known({ search, min_access_level: minAccessLevel, archived, simple });
      if (groupId !== undefined) {
        const where = { template: "/groups/:id/projects", params: { id: groupId } };
        const query = { ...filter, include_subgroups: true };
        return readListing(transport, { ...where, query, ...call }, projectSchema, { cursor });
      }
      // With a slash it is a path that is looked for, of which GitLab compares the last part alone unless told otherwise.
      const namespaces = search?.includes("/") ? { search_namespaces: true } : {};
      const query = { ...filter, ...namespaces, membership: true, order_by: "id", sort: "desc" };
      return readListing(transport, { template: "/projects", query, ...call }, projectSchema, {
        cursor,
        keyset: {},
      });
    },

    listNamespaces: ({ search, cursor } = {}, call) =>
      readListing(
        transport,
        { template: "/namespaces", query: known({ search }), ...call },
        namespaceSchema,
        {
          cursor,
        },
      ),

    findAccessLevel: (id, userId, call) => findAccessLevel(transport, id, userId, call),

    listBranches: (id, { search, cursor } = {}, call) => {
      const template = "/projects/:id/repository/branches";
      const request = { template, params: { id }, query: known({ search }), ...call };
      return readListing(transport, request, listedBranchSchema, { cursor });
    },

    async listTree(id, { ref, path, cursor }, call) {
      const template = "/projects/:id/repository/tree";
      const request = { template, params: { id }, query: known({ ref, path: path || undefined }), ...call };
      try {
        return await readListing<TreeEntry>(transport, request, treeEntrySchema, { cursor, keyset: {} });
      } catch (error) {
        throw await refineRepository(transport, id, error, call);
      }
    },

    findFile: (id, path, ref, call) => findFile(transport, { id, path, ref }, call),
  };
}

async function getGroup(
  transport: Transport,
  id: number | string,
  call?: Pick<Request, "signal">,
): Promise<Group> {
  const template = "/groups/:id";
  const query = { with_projects: false };
  return parseAs(
    groupSchema,
    await transport.send({ method: "GET", template, params: { id }, query, ...call }),
    template,
  );
}

/** Without what was not asked for. An empty search means everything in some versions and nothing in others. */
function known(query: Record<string, string | number | boolean | undefined>): NonNullable<Request["query"]> {
  const given = Object.entries(query).flatMap(([name, value]): [string, string | number | boolean][] =>
    value === undefined || (name === "search" && value === "") ? [] : [[name, value]],
  );
  return Object.fromEntries(given);
}

async function findAccessLevel(
  transport: Transport,
  id: number,
  userId: number,
  call?: Pick<Request, "signal">,
): Promise<number | null> {
  const template = "/projects/:id/members/all/:user_id";
  try {
    const request = { method: "GET", template, params: { id, user_id: userId }, ...call } as const;
    return parseAs(memberSchema, await transport.send(request), template).access_level;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.is("NOT_FOUND")) return 0;
    if (error.is("NOT_GITLAB", "wrong_path")) return null;
    throw error;
  }
}
