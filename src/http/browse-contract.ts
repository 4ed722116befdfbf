import { z } from "zod";
import { list } from "./answers.ts";
import { answers, ofConnection, word } from "./contract-parts.ts";

const page = { next: z.string().nullable(), total: z.number().nullable() };
const listedProject = z.object({
  id: z.number(),
  path: z.string(),
  webUrl: z.string(),
  defaultBranch: z.string().nullable(),
  archived: z.boolean(),
  pendingDeletion: z.boolean(),
  empty: z.boolean(),
  accessLevel: z.number().nullable(),
  canDeploy: z.boolean().nullable(),
  reason: z.string().nullable(),
});
export type ListedProjectAnswer = z.output<typeof listedProject>;

const listedGroup = z.object({
  id: z.number(),
  path: z.string(),
  name: z.string(),
  webUrl: z.string(),
  parentId: z.number().nullable(),
  pendingDeletion: z.boolean(),
  projectCreation: z.string(),
});

const listedBranch = z.object({
  name: z.string(),
  commit: z.string(),
  title: z.string(),
  committedAt: z.string(),
  isDefault: z.boolean(),
  isProtected: z.boolean(),
});

const entry = z.object({
  name: z.string(),
  path: z.string(),
  type: z.string(),
  sha: z.string(),
  mode: z.string(),
});
const looked = z.object({
  ref: z.string(),
  path: z.string(),
  entries: list(entry).nullable(),
  next: z.string().nullable(),
  /** Of a file, in base64. */
  content: z.string().nullable(),
});

const place = z.string().min(1).max(1024);
const cursor = z.string().max(1024).exactOptional();
const search = z.string().max(255).exactOptional();
const ofProject = ofConnection.extend({ project: place });

/** The operations of browsing, part of `contract.ts`. `next` goes back as `cursor`; null on the last page. */
export const browseApi = {
  listGroups: {
    method: "GET",
    url: "/api/v1/connections/:connection/groups",
    schema: {
      summary: "Groups of a GitLab: the topmost, or those directly below `parent` (id or path)",
      params: ofConnection,
      querystring: z.object({ parent: place.exactOptional(), search, cursor }),
      response: answers(z.object({ groups: list(listedGroup), ...page })),
    },
  },
  listProjects: {
    method: "GET",
    url: "/api/v1/connections/:connection/projects",
    schema: {
      summary:
        "Projects of a GitLab with the role in each and whether it can be deployed; `group` is an id or path",
      params: ofConnection,
      querystring: z.object({ group: place.exactOptional(), search, cursor }),
      response: answers(z.object({ projects: list(listedProject), ...page })),
    },
  },
  listBranches: {
    method: "GET",
    url: "/api/v1/connections/:connection/projects/:project/branches",
    schema: {
      summary: "Branches of a project (id or path)",
      params: ofProject,
      querystring: z.object({ search, cursor }),
      response: answers(z.object({ branches: list(listedBranch), ...page })),
    },
  },
  look: {
    method: "GET",
    url: "/api/v1/connections/:connection/projects/:project/files",
    schema: {
      summary:
        "What stands at `path` in `ref` (default: the default branch): a folder's entries, or a file's content in base64",
      params: ofProject,
      querystring: z.object({ path: z.string().max(4096).default(""), ref: word.exactOptional(), cursor }),
      response: answers(looked),
    },
  },
} as const;
