import { LEVEL, levelIn } from "../access.ts";
import { moveRefs } from "../git/move-refs.ts";
import { isBarred, readRefs, resolveCommit } from "../git/read.ts";
import { readTags, type Tag } from "../git/tags.ts";
import { isBranchName } from "../names.ts";
import { oneOf, text } from "../params.ts";
import { paged } from "../paging.ts";
import { created, forbidden, noContent, notFound, ok, refuse } from "../reply.ts";
import { route, type Call, type Route } from "../route.ts";
import type { Project, User } from "../state.ts";
import { commitEntity } from "./entities.ts";
import { getReadable } from "./find-project.ts";
import { searchPattern } from "./search-pattern.ts";

function tagEntity(call: Call, project: Project, tag: Tag): Record<string, unknown> {
  return {
    name: tag.name,
    message: tag.message,
    target: tag.target,
    commit: commitEntity(call.box, project, tag.commit),
    release: null,
    protected: false,
    ...(call.box.version.has("tagCreatedAt") ? { created_at: tag.createdAt } : {}),
  };
}

const path = "/projects/:id/repository/tags";
const scopes = ["ai_workflows"];

/** Who may make and remove tags. */
function authorizeTags(call: Call, project: Project): User {
  const user = call.authenticate();
  if (project.archived || levelIn(call.box.state, user, project) < LEVEL.developer) throw forbidden();
  return user;
}

async function getTag(call: Call, project: Project, name: string): Promise<Tag> {
  const [tag] = isBranchName(name) ? await readTags(call.box.repositories, project, name) : [];
  if (!tag) throw notFound("Tag");
  return tag;
}

export const tagRoutes: readonly Route[] = [
  route({
    method: "GET",
    path,
    scopes,
    authenticate: "lazily",
    params: {
      search: text.optional(),
      order_by: oneOf(["name", "updated", "version"]).optional(),
      sort: oneOf(["asc", "desc"]).optional(),
    },
    handle: async (call, { search, order_by = "updated", sort = "desc" }) => {
      const project = getReadable(call, "hidden");
      const wanted = searchPattern(search);
      const tags = (await readTags(call.box.repositories, project)).filter(({ name }) => wanted(name));
      const ordered = tags.toSorted(ORDER[order_by]);
      return paged(call, sort === "asc" ? ordered : ordered.toReversed(), (tag) =>
        tagEntity(call, project, tag),
      );
    },
  }),
  route({
    method: "GET",
    path: `${path}/:tag_name`,
    scopes,
    authenticate: "lazily",
    params: { tag_name: text },
    handle: async (call, { tag_name }) => {
      const project = getReadable(call, "hidden");
      return ok(tagEntity(call, project, await getTag(call, project, tag_name)));
    },
  }),
  route({
    method: "POST",
    path,
    params: { tag_name: text, ref: text, message: text.optional() },
    handle: async (call, { tag_name: name, ref, message = "" }) => {
      const project = getReadable(call, "hidden");
      const user = authorizeTags(call, project);
      const { repositories } = call.box;
      if (!isBranchName(name)) throw refuse(400, "Tag name invalid");
      const target = await resolveCommit(repositories, project, ref);
      if (target === null) throw refuse(400, `Target ${ref} is invalid`);
      if ((await readTags(repositories, project, name)).length > 0) {
        throw refuse(400, `Tag ${name} already exists`);
      }
      await moveRefs(call.box, project, user, async (git) => {
        const refs = await readRefs(repositories, project);
        // Again, since it is this request's turn only now.
        if (refs.has(`refs/tags/${name}`)) throw refuse(400, `Tag ${name} already exists`);
        if (isBarred(refs, `refs/tags/${name}`)) throw refuse(400, `Target ${ref} is invalid`);
        const id = message === "" ? target : await writeTag(call, project, { name, target, message, user });
        await git(["update-ref", `refs/tags/${name}`, id, ""]);
      });
      return created(tagEntity(call, project, await getTag(call, project, name)));
    },
  }),
  route({
    method: "DELETE",
    path: `${path}/:tag_name`,
    params: { tag_name: text },
    handle: async (call, { tag_name: name }) => {
      const project = getReadable(call, "hidden");
      const user = authorizeTags(call, project);
      await getTag(call, project, name);
      await moveRefs(call.box, project, user, async (git) => {
        await git(["update-ref", "-d", `refs/tags/${name}`]);
      });
      return noContent();
    },
  }),
];

const byDate = (a: Tag, b: Tag): number => timeOf(a) - timeOf(b) || compare(a.name, b.name);
const ORDER: Readonly<Record<"name" | "updated" | "version", (a: Tag, b: Tag) => number>> = {
  name: (a, b) => compare(a.name, b.name),
  updated: byDate,
  version: (a, b) => new Intl.Collator("en", { numeric: true }).compare(a.name, b.name),
};

function timeOf(tag: Tag): number {
  return Date.parse(tag.createdAt ?? tag.commit.committedDate);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface NewTag {
  readonly name: string;
  readonly target: string;
  readonly message: string;
  readonly user: User;
}

async function writeTag(call: Call, project: Project, tag: NewTag): Promise<string> {
  const { repositories, state } = call.box;
  const plain = (words: string): string => words.replaceAll(/[<>\n\0]/g, "").trim();
  const who = `${plain(tag.user.name)} <${plain(tag.user.email)}> ${Math.floor(state.clock.now() / 1000)} +0000`;
  const lines = [
    `object ${tag.target}`,
    "type commit",
    `tag ${tag.name}`,
    `tagger ${who}`,
    "",
    tag.message,
    "",
  ];
  return (await repositories.git(project, ["mktag", "--no-strict"], lines.join("\n"))).trim();
}
