import type { Command } from "commander";
import { api, type ListedProjectAnswer } from "../http/contract.ts";
import { printJson, withExamples, type Context } from "./context.ts";
import { printTable, shortCommit } from "./table.ts";
import { plain } from "./terminal.ts";

interface ListOptions {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly search?: string;
  readonly in?: string;
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export function addBrowseCommands(program: Command, context: Context): void {
  addGroups(program, context);
  addProjects(program, context);
  addBranches(program, context);
  addFiles(program, context);
}

function addGroups(program: Command, context: Context): void {
  withListOptions(
    program.command("groups").argument("<connection>", "name or id"),
    "groups work",
    "groups work --in acme",
  )
    .description("list groups of a GitLab: the topmost, or those directly below one")
    .option("--in <group>", "path or id of the group above")
    .action(async (connection: string, options: ListOptions) => {
      const client = await context.client();
      const query = { parent: options.in, search: options.search };
      const groups = await readPages(options, async (cursor) => {
        const { groups: items, next } = await client.call(api.listGroups, {
          params: { connection },
          query: { ...query, cursor },
        });
        return { items, next };
      });
      const row = (group: (typeof groups.items)[number]): string[] => [
        group.path,
        group.name,
        group.pendingDeletion ? "is going to be deleted" : `projects by: ${group.projectCreation}`,
      ];
      print(context, options, groups, { heads: ["GROUP", "NAME", ""], row, none: "No groups." });
    });
}

function addProjects(program: Command, context: Context): void {
  withListOptions(
    program.command("projects").argument("<connection>", "name or id"),
    "projects work --search shop",
    "projects work --in acme/web --all --json",
  )
    .description("list projects of a GitLab, and which of them can be deployed")
    .option("--in <group>", "path or id of a group: its projects and those of the groups below it")
    .action(async (connection: string, options: ListOptions) => {
      const client = await context.client();
      const query = { group: options.in, search: options.search };
      const projects = await readPages(options, async (cursor) => {
        const { projects: items, next } = await client.call(api.listProjects, {
          params: { connection },
          query: { ...query, cursor },
        });
        return { items, next };
      });

      print(context, options, projects, {
        heads: ["PROJECT", "ID", "BRANCH", "DEPLOY"],
        row: projectRow,
        none: "No projects.",
      });
    });
}

function projectRow(project: ListedProjectAnswer): string[] {
  const { canDeploy, reason } = project;
  const mark = canDeploy === true ? "yes" : canDeploy === false ? "no" : "?";
  const verdict = reason === null ? mark : `${mark}: ${reason}`;
  return [project.path, String(project.id), project.defaultBranch ?? "", verdict];
}

function addBranches(program: Command, context: Context): void {
  withListOptions(
    program.command("branches").argument("<connection>", "name or id").argument("<project>", "path or id"),
    "branches work acme/shop",
  )
    .description("list branches of a project")
    .action(async (connection: string, project: string, options: ListOptions) => {
      const client = await context.client();
      const branches = await readPages(options, async (cursor) => {
        const input = { params: { connection, project }, query: { search: options.search, cursor } };
        const { branches: items, next } = await client.call(api.listBranches, input);
        return { items, next };
      });
      const row = (branch: (typeof branches.items)[number]): string[] => [
        branch.name,
        shortCommit(branch.commit),
        branch.title,
        [branch.isDefault ? "default" : "", branch.isProtected ? "protected" : ""].filter(Boolean).join(", "),
      ];
      print(context, options, branches, {
        heads: ["BRANCH", "COMMIT", "TITLE", ""],
        row,
        none: "No branches: the repository is empty, or none matches.",
      });
    });
}

function addFiles(program: Command, context: Context): void {
  withExamples(
    program
      .command("files")
      .argument("<connection>", "name or id")
      .argument("<project>", "path or id")
      .argument("[path]", "folder or file", "")
      .option("--ref <ref>", "branch, tag or commit (default: the default branch)"),
    "files work acme/shop",
    "files work acme/shop src --ref release",
    "files work acme/shop package.json",
  )
    .description("list a folder of a project, or print a file")
    .action(
      async (
        connection: string,
        project: string,
        path: string,
        options: { readonly ref?: string; readonly json?: boolean },
      ) => {
        const client = await context.client();
        const ask = async (cursor: string | undefined) =>
          client.call(api.look, {
            params: { connection, project },
            query: { path, ref: options.ref, cursor },
          });
        const first = await ask(undefined);
        if (first.content !== null) {
          if (options.json) return printJson(context, first);
          context.terminal.stdout.write(Buffer.from(first.content, "base64"));
          return;
        }
        const entries = [...(first.entries ?? [])];
        for (let next = first.next; next !== null;) {
          const page = await ask(next);
          entries.push(...(page.entries ?? []));
          next = page.next;
        }
        if (options.json) return entries.forEach((entry) => printJson(context, entry));
        for (const entry of entries)
          context.terminal.out(plain(entry.type === "tree" ? `${entry.path}/` : entry.path));
      },
    );
}

function withListOptions(command: Command, ...examples: readonly string[]): Command {
  return withExamples(
    command
      .option("--search <words>", "only what GitLab finds by these words")
      .option("--all", "every page, not the first alone"),
    ...examples,
  );
}

async function readPages<T>(
  { all }: ListOptions,
  read: (cursor: string | undefined) => Promise<Page<T>>,
): Promise<Page<T>> {
  const first = await read(undefined);
  if (!all) return first;
  const items = [...first.items];
  for (let next = first.next; next !== null;) {
    const page = await read(next);
    items.push(...page.items);
    next = page.next;
  }
  return { items, next: null };
}

function print<T>(
  context: Context,
  { json }: ListOptions,
  { items, next }: Page<T>,
  how: { readonly heads: readonly string[]; readonly row: (item: T) => string[]; readonly none: string },
): void {
  const { terminal } = context;
  if (json) return items.forEach((item) => printJson(context, item));
  if (items.length === 0) return terminal.out(how.none);
  printTable(terminal, how.heads, items.map(how.row));
  if (next !== null) terminal.err(`There are more: --all shows them, --search narrows them down.`);
}
