import { canSee, LEVEL, levelIn, memberLevel } from "../access.ts";
import { asksForKeyset, keysetPaged, paged } from "../paging.ts";
import { badRequest, type Reply } from "../reply.ts";
import type { Call } from "../route.ts";
import type { Project, User } from "../state.ts";
import { projectBasics, projectEntity } from "./project-entity.ts";
import type { ProjectFilters } from "./project-params.ts";
import { statisticsOf } from "./project-statistics.ts";

/** What GitLab writes into the links of this list although nobody sent it. */
const DEFAULTS = {
  imported: false,
  membership: false,
  order_by: "created_at",
  owned: false,
  simple: false,
  sort: "desc",
  starred: false,
  statistics: false,
  with_custom_attributes: false,
  with_issues_enabled: false,
  with_merge_requests_enabled: false,
};

/** Those of these projects that the filters leave and this user may see, in order. They come in by id. */
export function filtered(call: Call, projects: Iterable<Project>, filters: ProjectFilters): Project[] {
  const user = call.currentUser();
  checkDates(filters);
  const tests = [visibleTest(call, user, filters), ...testsOf(call, user, filters)];
  const found: Project[] = [];
  for (const project of projects) if (tests.every((test) => test(project))) found.push(project);
  return inOrder(call, found, filters);
}

/** One page of projects, by offset or, for `/projects`, by keyset. */
export function listProjects(
  call: Call,
  projects: Iterable<Project>,
  filters: ProjectFilters,
  by: "offset" | "offset or keyset" = "offset",
): Promise<Reply> {
  const byKeyset =
    call.box.version.has("keysetProjects") &&
    asksForKeyset(call, by === "offset or keyset" && filters.order_by === "id");
  const rows = filtered(call, projects, filters);
  const present = presenter(call, filters);
  if (!byKeyset) return paged(call, rows, present, { limitedType: "Project", defaults: DEFAULTS });
  const parameter = filters.sort === "asc" ? "id_after" : "id_before";
  return keysetPaged(call, rows, present, { parameter, valueOf: ({ id }) => id }, DEFAULTS);
}

function presenter(call: Call, filters: ProjectFilters): (project: Project) => unknown {
  const { box } = call;
  const user = call.currentUser();
  if (filters.simple || user === null) return (project) => projectBasics(box, project, user);
  return async (project) => {
    const entity = projectEntity(box, project, user);
    const counted = filters.statistics && levelIn(box.state, user, project) >= LEVEL.reporter;
    return counted ? { ...entity, statistics: await statisticsOf(box, project) } : entity;
  };
}

type Test = (project: Project) => boolean;

/** Projects that are being deleted are told to administrators who ask for them. */
function visibleTest(call: Call, user: User | null, filters: ProjectFilters): Test {
  const { state } = call.box;
  if (user?.admin) return (project) => !project.pendingDelete || filters.include_pending_delete === true;
  const privately = perNamespace((project) => canSee(state, user, project));
  return (project) =>
    project.pendingDelete || project.visibility !== "private"
      ? canSee(state, user, project)
      : privately(project);
}

/**
 * Answers once per namespace for projects without members of their own, which is nearly all of a long list: 10,000 rows are then a
 * page of a millisecond.
 */
function perNamespace<T>(answer: (project: Project) => T): (project: Project) => T {
  const known = new Map<number, { readonly value: T }>();
  return (project) => {
    if (project.members.size > 0 || project.shares.size > 0) return answer(project);
    const found = known.get(project.namespaceId) ?? { value: answer(project) };
    known.set(project.namespaceId, found);
    return found.value;
  };
}

function testsOf(call: Call, user: User | null, filters: ProjectFilters): Test[] {
  return [...memberTests(call, user, filters), ...rowTests(filters), ...rangeTests(call, filters)];
}

function memberTests({ box }: Call, user: User | null, filters: ProjectFilters): Test[] {
  const asked = box.version.has("filterByLevel") ? filters.min_access_level : undefined;
  const level = Math.max(asked ?? 0, filters.membership ? 1 : 0);
  const { owned, imported, starred } = filters;
  const levelOf = perNamespace((row) => (user ? memberLevel(box.state, user, row) : 0));
  return [
    ...(level > 0 && user ? [(row: Project) => levelOf(row) >= level] : []),
    ...(owned && user ? [(row: Project) => levelOf(row) >= LEVEL.owner] : []),
    ...(imported && user ? [(row: Project) => row.creatorId === user.id && row.import !== null] : []),
    ...(starred && user ? [() => false] : []),
  ];
}

function rowTests(filters: ProjectFilters): Test[] {
  const { archived, active, visibility, search, topic, marked_for_deletion_on: marked } = filters;
  const wanted = search?.toLowerCase() ?? "";
  const topics = topic?.map((name) => name.toLowerCase()) ?? [];
  const inactive = (row: Project): boolean => row.archived || row.markedForDeletionOn !== null;
  return [
    ...(archived === undefined ? [] : [(row: Project) => row.archived === archived]),
    ...(active === undefined ? [] : [(row: Project) => inactive(row) !== active]),
    ...(visibility === undefined ? [] : [(row: Project) => row.visibility === visibility]),
    ...(wanted === "" ? [] : [(row: Project) => matches(row, wanted, filters.search_namespaces ?? false)]),
    ...topics.map((name) => (row: Project) => row.topics.some((own) => own.toLowerCase() === name)),
    ...(marked === undefined ? [] : [(row: Project) => row.markedForDeletionOn === marked]),
    ...(filters.with_merge_requests_enabled ? [(row: Project) => row.repositoryEnabled] : []),
    // The sandbox detects no languages: no project has one.
    ...(filters.with_programming_language === undefined ? [] : [() => false]),
  ];
}

/** GitLab searches name, path and description; a slash looks into the full path. */
function matches(project: Project, wanted: string, namespaces: boolean): boolean {
  const { name, path, fullPath, description } = project;
  const parts = [name, path, description, ...(namespaces || wanted.includes("/") ? [fullPath] : [])];
  return parts.some((part) => part.toLowerCase().includes(wanted));
}

function rangeTests({ box }: Call, filters: ProjectFilters): Test[] {
  const after = (date: (row: Project) => string, from: number | undefined): Test[] =>
    from === undefined ? [] : [(row) => Date.parse(date(row)) > from];
  const before = (date: (row: Project) => string, to: number | undefined): Test[] =>
    to === undefined ? [] : [(row) => Date.parse(date(row)) < to];
  const active = (row: Project): string => row.lastActivityAt;
  const updated = (row: Project): string => row.updatedAt;
  const { id_after: low, id_before: high } = filters;
  const byId = box.version.has("keysetProjects");
  return [
    ...(byId && low !== undefined ? [(row: Project) => row.id > low] : []),
    ...(byId && high !== undefined ? [(row: Project) => row.id < high] : []),
    ...after(active, filters.last_activity_after),
    ...before(active, filters.last_activity_before),
    ...after(updated, filters.updated_after),
    ...before(updated, filters.updated_before),
  ];
}

function checkDates(filters: ProjectFilters): void {
  const dated = filters.updated_after !== undefined || filters.updated_before !== undefined;
  if (dated && filters.order_by !== "updated_at") {
    throw badRequest("`updated_at` filter and `updated_at` sorting must be paired");
  }
}

const KEYS: Readonly<Record<string, (project: Project) => string>> = {
  name: (project) => project.name.toLowerCase(),
  path: (project) => project.path,
  updated_at: (project) => project.updatedAt,
  last_activity_at: (project) => project.lastActivityAt,
};

/** By creation is by id, which is how they come in: GitLab does the same. Ties go by descending id. */
function inOrder(call: Call, projects: Project[], filters: ProjectFilters): Project[] {
  const { order_by: order = "created_at", sort = "desc", search } = filters;
  if (order === "similarity" && search && call.currentUser()) return bySimilarity(projects, search);
  const key = KEYS[order];
  if (!key) return sort === "asc" ? projects : projects.toReversed();
  const direction = sort === "asc" ? 1 : -1;
  const keyed = projects.map((project) => ({ project, key: key(project) }));
  keyed.sort((a, b) =>
    a.key === b.key ? b.project.id - a.project.id : a.key < b.key ? -direction : direction,
  );
  return keyed.map(({ project }) => project);
}

/** Best first: the same path, then the same beginning, then the rest. */
function bySimilarity(projects: readonly Project[], search: string): Project[] {
  const wanted = search.toLowerCase();
  const distance = ({ path, name }: Project): number => {
    if (path.toLowerCase() === wanted || name.toLowerCase() === wanted) return 0;
    return path.toLowerCase().startsWith(wanted) || name.toLowerCase().startsWith(wanted) ? 1 : 2;
  };
  return projects.toSorted((a, b) => distance(a) - distance(b) || b.id - a.id);
}
