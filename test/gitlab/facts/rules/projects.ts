import { expect } from "vitest";
import { answers, as, check, given, only, path, publicProject, query, send, without } from "../steps.ts";
import type { Endpoints, Json, Rule, Situation, Step } from "../situation.ts";

const ONE = "/projects/:id";
const nothing = given(() => {});

const named: Step = (situation) => {
  const path = situation.world.fresh("made");
  send({ name: path, path })(situation);
};

const has = (name: string): Step => check((body) => expect(body).toHaveProperty(name));
const hasNot = (name: string): Step => check((body) => expect(body).not.toHaveProperty(name));

const byPath =
  (change: (text: string) => string): Step =>
  (situation) => {
    situation.path["id"] = change(situation.project.fullPath);
  };

const branch =
  (name: string): Step =>
  async ({ api, project }) => {
    await api("POST", `/projects/${project.id}/repository/branches`, { branch: name, ref: "main" });
  };

const withFiles: Step = async ({ world, project }) => {
  await world.scene.sandbox.state.commit(project, { "README.md": "# hello\n" });
};

const sibling: Step = async (situation) => {
  const { world } = situation;
  const path = world.fresh("taken");
  await world.scene.sandbox.state.createProject({ path, owner: world.userOf("owner") });
  situation.path["taken"] = path;
};

const archived: Step = ({ project }) => {
  project.archived = true;
};

const MISSING: Rule = [/non-? ?exist|not existing|not found/, path({ id: 99_999_999 })];

/** What a fact's words say is updated, and a value for it. */
const UPDATES: readonly (readonly [RegExp, Record<string, unknown>])[] = [
  [
    /ci_push_repository_for_job_token_allowed|push to repository using job/,
    { ci_push_repository_for_job_token_allowed: true },
  ],
  [/disables project packages/, { packages_enabled: false }],
  [/sets package_registry_access_level/, { package_registry_access_level: "private" }],
  [/sets container_registry_access_level/, { container_registry_access_level: "private" }],
  [/sets container_registry_enabled/, { container_registry_enabled: false }],
  [/sets security_and_compliance/, { security_and_compliance_access_level: "private" }],
  [/sets analytics_access_level/, { analytics_access_level: "private" }],
  [/max_artifacts_size/, { max_artifacts_size: 1 }],
  [/updates visibility_level$/, { visibility: "public" }],
  [/from public to private/, { visibility: "private" }],
  [/updates request_access_enabled/, { request_access_enabled: false }],
  [/updates jobs_enabled/, { jobs_enabled: true }],
  [/updates builds_access_level/, { builds_access_level: "private" }],
  [/updates pages_access_level/, { pages_access_level: "private" }],
  [/updates emails_disabled/, { emails_disabled: true }],
  [/updates emails_enabled/, { emails_enabled: true }],
  [/show_diff_preview/, { show_diff_preview_in_email: false }],
  [/updates build_git_strategy/, { build_git_strategy: "clone" }],
  [/build_git_strategy is invalid/, { build_git_strategy: "invalid" }],
  [/updates merge_method/, { merge_method: "ff" }],
  [/merge_method is invalid/, { merge_method: "invalid" }],
  [/restrict_user_defined_variables/, { restrict_user_defined_variables: true }],
  [
    /(updates|changes|accepts to change) ci_pipeline_variables_min/,
    { ci_pipeline_variables_minimum_override_role: "maintainer" },
  ],
  [/role is provided/, { ci_pipeline_variables_minimum_override_role: "wrong" }],
  [/not allowed role/, { ci_pipeline_variables_minimum_override_role: "guest" }],
  [/public_builds/, { public_builds: false }],
  [/updates public_jobs/, { public_jobs: false }],
  [/updates auto_devops_deploy_strategy/, { auto_devops_deploy_strategy: "timed_incremental" }],
  [/updates auto_devops_enabled/, { auto_devops_enabled: false }],
  [/tag_list/, { tag_list: "a,b" }],
  [/updates topics$/, { topics: "a,b" }],
  [
    /merge_request_title_regex/,
    { merge_request_title_regex: "x", merge_request_title_regex_description: "d" },
  ],
  [/enforce_auth_checks/, { enforce_auth_checks_on_uploads: false }],
  [/updates squash_option/, { squash_option: "always" }],
  [/invalid squash_option/, { squash_option: "invalid" }],
  [/updates ci_delete_pipelines/, { ci_delete_pipelines_in_seconds: 86_400 }],
  [/clears ci_delete_pipelines/, { ci_delete_pipelines_in_seconds: null, description: "d" }],
  [
    /updates other attributes/,
    { description: "new", wiki_access_level: "disabled", issues_access_level: "disabled" },
  ],
  [/not update other attributes/, { description: "new" }],
  [/ignores repository object format/, { repository_object_format: "sha256", description: "d" }],
  [/ignores initialize_with_readme/, { initialize_with_readme: true, description: "d" }],
  [/does not change repository_storage/, { repository_storage: "unknown", description: "d" }],
  [/updating service desk/, { service_desk_enabled: false }],
  [/keep latest artifact/, { keep_latest_artifact: true }],
  [/does not update visibility_level$/, { visibility: "public" }],
  [/sets #\{field\}/, { model_experiments_access_level: "private" }],
  [/not update resource_group|process_mode if not specified/, { description: "d" }],
  [/updates resource_group/, { resource_group_default_process_mode: "oldest_first" }],
  [/invalid resource_group/, { resource_group_default_process_mode: "invalid" }],
];

export const projects: Endpoints = {
  "POST /projects": {
    base: [named],
    rules: [
      [
        /with provided default branch|branch name is fully/,
        send({ default_branch: "feature-x", initialize_with_readme: true }),
      ],
      [/fully qualified/, send({ default_branch: "refs/heads/feature-x", initialize_with_readme: true })],
      [/provided default branch/, answers({ default_branch: "feature-x" })],
      [/branch name is empty/, send({ default_branch: "", initialize_with_readme: true })],
      [/readme is not set/, send({ default_branch: "feature-x" })],
      [/number of projects reached/, limitedTo(0)],
      [/last project before reaching/, limitedTo(1)],
      [/without path but with name/, without("path")],
      [/without name but with path/, without("name")],
      [/with name and path/, nothing],
      [/without name or path/, only({})],
      [
        /assigns attributes/,
        send({ description: "d", visibility: "public", merge_method: "ff" }),
        answers({ merge_method: "ff" }),
      ],
      [/assigns container_registry_enabled/, send({ container_registry_enabled: true })],
      [/using a template/, send({ template_name: "rails" })],
      [/invalid template/, send({ template_name: "unknown" })],
      [/import_url and template/, send({ import_url: "http://127.0.0.1:9/a.git", template_name: "rails" })],
      [/import source is disabled/, importSource(false)],
      [/disallows .*import source is disabled/, send({ import_url: "http://127.0.0.1:9/a.git" })],
      [/without an import_url/, nothing],
      [/import_url that is valid/, importSource(true), importable],
      [/invalid values for merge_method/, send({ merge_method: "hello" })],
      [/import_url when it is nil/, send({ import_url: null })],
      [/when sha1/, send({ repository_object_format: "sha1" })],
      [/unknown format/, send({ repository_object_format: "unknown" })],
    ],
  },
  "POST /projects/user/:id": {
    base: [as("admin"), named, given(({ path, world }) => void (path["id"] = world.userOf("owner").id))],
    rules: [
      [/without path but with name/, without("path")],
      [/with name and path/, nothing],
      [/on failure/, only({ path: "x" })],
      [/container_registry_enabled/, send({ container_registry_enabled: true })],
      [/assigns attributes/, send({ description: "d" })],
      [/as public/, send({ visibility: "public" }), answers({ visibility: "public" })],
      [/as internal/, send({ visibility: "internal" }), answers({ visibility: "internal" })],
    ],
  },
  [`GET ${ONE}`]: {
    base: [],
    rules: [
      [/unauthenticated > returns public/, publicProject, as(null)],
      [/does not return private projects/, as(null)],
      [/private repository > hides protected/, publicProject, as(null), hasNot("readme_url")],
      [
        /returns a project by id|> returns a project$/,
        check((body, { project }) => expect(body.id).toBe(project.id)),
      ],
      [/path name is specified > returns a project$/, byPath((text) => text)],
      [/case-insensitive/, byPath((text) => text.toUpperCase())],
      [/error if not found/, path({ id: 42_424_242 })],
      [/user is not a member/, as("stranger")],
      [/users with dots/, ownedBy("dot.user")],
      [
        /namespace fields/,
        check((body) => expect(body.namespace).toMatchObject({ kind: "user", path: "the-owner" })),
      ],
      [/license fields by default/, hasNot("license")],
      [/license fields when/, query({ license: true }), has("license")],
      [/statistics by default/, hasNot("statistics")],
      [/statistics if requested/, query({ statistics: true }), has("statistics")],
      [
        /> does not include statistics if user/,
        publicProject,
        as("stranger"),
        query({ statistics: true }),
        hasNot("statistics"),
      ],
      [/includes statistics if user/, query({ statistics: true }), has("statistics")],
      [
        /repository is disabled/,
        given(({ project }) => void (project.repositoryEnabled = false)),
        query({ statistics: true }),
        has("statistics"),
      ],
      [/includes import_error/, has("import_error")],
      [
        /not include import_error/,
        as("developer"),
        check((body) => expect(body.import_error ?? null).toBeNull()),
      ],
      [
        /all projects > contains permission/,
        check((body) => expect(body.permissions).toHaveProperty("project_access")),
      ],
      [
        /sets project access/,
        as("developer"),
        check((body) => expect(body.permissions.project_access.access_level).toBe(30)),
      ],
      [
        /sets the owner/,
        inGroup(),
        check((body) => expect(body.permissions.group_access.access_level).toBe(50)),
      ],
      [
        /sets group access/,
        inGroup(),
        as("developer"),
        check((body) => expect(body.permissions.group_access.access_level).toBe(30)),
      ],
      [
        /maximum group access/,
        inGroup("/below"),
        check((body) => expect(body.permissions.group_access.access_level).toBe(50)),
      ],
      [/group web_url/, inGroup(), check((body) => expect(body.namespace.web_url).toContain("/groups/"))],
      [/user web_url/, check((body) => expect(body.namespace.web_url).toContain("/the-owner"))],
      [/sensitive admin attributes/, as("developer"), hasNot("runners_token")],
      [/repository_storage attribute/, as("admin"), has("repository_storage")],
    ],
  },
  [`PUT ${ONE}`]: {
    base: [],
    rules: [
      ...UPDATES.map(([words, body]): Rule => [words, send(body)]),
      [/nothing sent/, only({})],
      [/unauthenticated/, as(null), send({ name: "x" })],
      [/public to private/, publicProject],
      [
        /updates visibility_level/,
        check((body, { body: sent }) => expect(body.visibility).toBe((sent as Json).visibility)),
      ],
      [/not update name to existing/, sibling, given((s) => send({ name: s.path["taken"] })(s))],
      [/not update path to existing/, sibling, given((s) => send({ path: s.path["taken"] })(s)), as("owner")],
      [
        /in different namespace/,
        given((s) => send({ path: s.world.fresh("p"), name: s.world.fresh("n") })(s)),
      ],
      [
        /updates default_branch/,
        withFiles,
        branch("feature"),
        send({ default_branch: "feature" }),
        answers({ default_branch: "feature" }),
      ],
      [/maintainer > updates path/, given((s) => send({ path: s.world.fresh("p") })(s))],
      [/maintainer > updates name/, given((s) => send({ name: s.world.fresh("n") })(s))],
      [/when a user does not have permissions/, as("maintainer")],
      [/project developer > /, as("developer")],
    ],
  },
  [`POST ${ONE}/archive`]: {
    base: [],
    rules: [
      [/archives the project/, answers({ archived: true })],
      [/remains archived/, archived],
      [/without archiving rights/, as("developer")],
    ],
  },
  [`POST ${ONE}/unarchive`]: {
    base: [],
    rules: [
      [/remains unarchived/, answers({ archived: false })],
      [/unarchives the project/, archived, answers({ archived: false })],
      [/without archiving rights/, as("developer")],
    ],
  },
  [`DELETE ${ONE}`]: {
    base: [],
    rules: [
      [/removes project|marks the project/, nothing],
      [/if not an owner/, as("maintainer")],
      [/non existing project/, path({ id: 99_999_999 })],
    ],
  },
  [`POST ${ONE}/star`]: {
    base: [],
    rules: [
      [/stars the project/, answers({ star_count: 1 })],
      [/does not modify/, star],
    ],
  },
  [`POST ${ONE}/unstar`]: {
    base: [],
    rules: [
      [/unstars the project/, star, answers({ star_count: 0 })],
      [/does not modify/, nothing],
    ],
  },
  [`GET ${ONE}/languages`]: { base: [], rules: [MISSING, [/unauthorized project/, as("stranger")]] },
  [`GET ${ONE}/users`]: {
    base: [],
    rules: [MISSING, [/returns the project users/, check((rows) => expect(rows.length).toBe(5))]],
  },
  [`PUT ${ONE}/transfer`]: {
    base: [given((s: Situation) => send({ namespace: s.group.id })(s))],
    rules: [
      [/to the new namespace/, nothing],
      [/non owned namespace/, given(foreignGroup)],
      [/project is archived/, archived],
      [/unknown namespace/, send({ namespace: "unknown" })],
      [/missing namespace/, only({})],
    ],
  },
};

async function star({ world, project }: Situation): Promise<void> {
  await world.scene.call("POST", `/projects/${project.id}/star`, {}, world.tokenOf("owner"));
}

function limitedTo(limit: number): Step {
  return (situation) => {
    const { world } = situation;
    const { state } = world.scene.sandbox;
    const user = state.createUser({ username: world.fresh("person") });
    user.projectsLimit = limit;
    situation.token = state.createToken({ user }).value;
  };
}

function importSource(on: boolean): Step {
  return async ({ checks, api }) => {
    await api("PUT", "/application/settings", { import_sources: on ? ["git"] : [] });
    checks.push(async () => void (await api("PUT", "/application/settings", { import_sources: ["git"] })));
  };
}

/** Where to import from: another project of the same sandbox, as anybody may clone it. */
async function importable(situation: Situation): Promise<void> {
  const { world } = situation;
  const { sandbox } = world.scene;
  const path = world.fresh("source");
  const owner = world.userOf("owner");
  const files = { "a.txt": "a\n" };
  const source = await sandbox.state.createProject({ path, owner, visibility: "public", files });
  send({ import_url: `${sandbox.url}/${source.fullPath}.git` })(situation);
}

function ownedBy(username: string): Step {
  return async (situation) => {
    const { state } = situation.world.scene.sandbox;
    const owner = state.createUser({ username });
    const project = await state.createProject({ path: "with-dots", owner });
    situation.path["id"] = project.fullPath;
    situation.token = state.createToken({ user: owner }).value;
  };
}

/** The project is one of the group, in which everybody has the usual level and nobody one of their own in the project. */
function inGroup(below = ""): Step {
  return async (situation) => {
    const { world, group } = situation;
    const path = `${group.fullPath}${below}/${world.fresh("project")}`;
    const project = await world.scene.sandbox.state.createProject({ path, owner: world.userOf("owner") });
    situation.path["id"] = project.id;
  };
}

function foreignGroup(situation: Situation): void {
  const { world } = situation;
  const group = world.scene.sandbox.state.createGroup({
    path: world.fresh("foreign"),
    owner: world.userOf("admin"),
  });
  send({ namespace: group.id })(situation);
}
