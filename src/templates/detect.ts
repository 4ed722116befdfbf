import { join } from "node:path";
import { Fault } from "../faults/fault.ts";
import { isFolder, isInside, isPlainFile } from "./inside.ts";
import { readManifest, type Manifest } from "./manifest.ts";
import { findManager, type Manager } from "./package-manager.ts";

/** What a person fixed instead of detection. */
export interface Overrides {
  readonly kind?: "static" | "node";
  readonly root?: string;
  readonly install?: readonly string[];
  readonly build?: readonly string[];
  readonly start?: readonly string[];
  readonly output?: string;
}

type Words = readonly [string, ...string[]];

export interface BuildPlan {
  readonly kind: "static" | "node";
  /** Where install and build run: the checked out tree, or the folder `root` of it. */
  readonly directory: string;
  readonly install: Words | null;
  readonly build: Words | null;
  readonly start:
    | { readonly kind: "static"; readonly root: string; readonly fallback: string | null }
    | { readonly kind: "exec"; readonly argv: Words };
  /** Folders of which the first that fits becomes the release, looked at after the build: see `findOutput`. */
  readonly outputs: readonly string[];
  readonly lockfile: string | null;
  /** Why it is what it is, in sentences for the log. */
  readonly evidence: readonly string[];
}

const BUILT_FOLDERS = ["dist", "build", "out", "public"];
const SERVERS_FIRST = ["server.js", "server.mjs", "server.cjs"];
const SERVER_FILES = [...SERVERS_FIRST, "index.js", "index.mjs", "app.js"];
/** Start scripts that serve sources to a developer: beside a build script they mean a static site. */
const DEV_SERVER =
  /^(?:react-scripts start|vite(?:$| (?!preview))|ng serve|vue-cli-service serve|webpack(?:-dev-server| serve)|parcel (?!build)|astro dev|gatsby develop)/;

/** What a checked out repository is. Throws `BUILD_UNDETECTED` with what was looked for. Reads files of the tree only, never through links that leave it. */
export async function detectBuild(workspace: string, overrides: Overrides): Promise<BuildPlan> {
  const directory = await findRoot(workspace, overrides.root);
  const manifest = await readManifest(directory);
  if (overrides.kind === "static" && manifest === null)
    return staticPlan(directory, overrides, "The kind is set to static.");
  if (manifest !== null) return packagePlan(directory, manifest, overrides);
  if (overrides.kind === "node" || overrides.start !== undefined) return plainNodePlan(directory, overrides);
  if (overrides.output !== undefined || (await isPlainFile(directory, "index.html"))) {
    return staticPlan(directory, overrides, "Found index.html and no package.json: a static site.");
  }
  const found = await firstWithIndex(directory, BUILT_FOLDERS);
  if (found)
    return staticPlan(
      directory,
      { ...overrides, output: found },
      `Found ${found}/index.html: a static site.`,
    );
  throw undetected(["package.json", "index.html", ...BUILT_FOLDERS.map((folder) => `${folder}/index.html`)]);
}

/** The folder to release, once the build has run. Throws `BUILD_FAILED` when the build left none of the expected ones. */
export async function findOutput(plan: BuildPlan): Promise<string> {
  for (const folder of plan.outputs) {
    const fits =
      plan.kind === "node"
        ? await isFolder(plan.directory, folder)
        : await isPlainFile(join(plan.directory, folder), "index.html");
    if (fits && (await isInside(plan.directory, folder))) return join(plan.directory, folder);
  }
  const names = plan.outputs.map((folder) => join(folder, "index.html")).join(", ");
  throw Fault.of("BUILD_FAILED", "", { message: `The build ended well but left none of: ${names}` });
}

async function findRoot(workspace: string, root = "."): Promise<string> {
  if ((await isFolder(workspace, root)) && (await isInside(workspace, root))) return join(workspace, root);
  throw undetected([`the folder ${root}`]);
}

function staticPlan(directory: string, overrides: Overrides, why: string): BuildPlan {
  return {
    kind: "static",
    directory,
    install: toWords(overrides.install),
    build: toWords(overrides.build),
    start: { kind: "static", root: ".", fallback: null },
    outputs: [overrides.output ?? "."],
    lockfile: null,
    evidence: [why],
  };
}

/** Asked for by a person: code that needs no packages. */
async function plainNodePlan(directory: string, overrides: Overrides): Promise<BuildPlan> {
  const start = toWords(overrides.start) ?? (await findFile(directory, SERVER_FILES));
  if (start === null) throw undetected(["package.json", ...SERVER_FILES]);
  return {
    kind: "node",
    directory,
    install: toWords(overrides.install),
    build: toWords(overrides.build),
    start: { kind: "exec", argv: start },
    outputs: ["."],
    lockfile: null,
    evidence: ["No package.json: no packages are installed.", `It is started by: ${start.join(" ")}`],
  };
}

async function packagePlan(directory: string, manifest: Manifest, overrides: Overrides): Promise<BuildPlan> {
  const manager = await findManager(directory, manifest);
  const start =
    overrides.kind === "static"
      ? null
      : (toWords(overrides.start) ?? (await findStart(directory, manifest, manager)));
  const shared = {
    directory,
    install: toWords(overrides.install) ?? manager.install,
    build: toWords(overrides.build) ?? (manifest.scripts.has("build") ? manager.runScript("build") : null),
    lockfile: manager.lockfile,
  };
  if (start !== null) {
    const evidence = [
      `Found package.json: a Node app. ${manager.evidence}`,
      `It is started by: ${start.join(" ")}`,
    ];
    return { kind: "node", ...shared, start: { kind: "exec", argv: start }, outputs: ["."], evidence };
  }
  const looked = ["a start script in package.json", ...SERVER_FILES];
  if (overrides.kind === "node") throw undetected(looked);
  return packageSitePlan(shared, overrides, manager, looked);
}

/** package.json without a server: what its build leaves, or the files as they are. */
async function packageSitePlan(
  shared: Pick<BuildPlan, "directory" | "install" | "build" | "lockfile">,
  overrides: Overrides,
  manager: Manager,
  looked: readonly string[],
): Promise<BuildPlan> {
  const site = { kind: "static", start: { kind: "static", root: ".", fallback: null } } as const;
  if (shared.build !== null) {
    const outputs = overrides.output === undefined ? [...BUILT_FOLDERS, "."] : [overrides.output];
    const evidence = [`Found package.json without a server: a static site. ${manager.evidence}`];
    return { ...shared, ...site, outputs, evidence };
  }
  // Without a build nothing uses the packages: they are installed only when a person says so.
  const unbuilt = { ...shared, ...site, install: toWords(overrides.install) };
  const folders = overrides.output === undefined ? [".", ...BUILT_FOLDERS] : [overrides.output];
  const found = await firstWithIndex(shared.directory, folders);
  if (found === null)
    throw undetected([...looked, "a build script", ...folders.map((f) => join(f, "index.html"))]);
  const evidence = [
    `Found package.json without a server or a build, and ${join(found, "index.html")}: a static site.`,
  ];
  return { ...unbuilt, outputs: [found], evidence };
}

async function findStart(directory: string, manifest: Manifest, manager: Manager): Promise<Words | null> {
  const hasBuild = manifest.scripts.has("build");
  const script = manifest.scripts.get("start");
  if (script !== undefined && !(hasBuild && DEV_SERVER.test(script.trim()))) {
    return plainNodeCommand(manifest, script) ?? manager.runScript("start");
  }
  const { main } = manifest;
  if (main !== null)
    return findFile(directory, [...SERVERS_FIRST, main, `${main}.js`, join(main, "index.js")]);
  return findFile(directory, hasBuild ? SERVERS_FIRST : SERVER_FILES); // index.js beside a build is a source, not a server
}

async function findFile(directory: string, files: readonly string[]): Promise<Words | null> {
  for (const file of files) {
    if (!file.startsWith("-") && (await isPlainFile(directory, file))) return ["node", file];
  }
  return null;
}

/**
 * `node server.js` and nothing cleverer is started without the package manager between: 60 MB and a third of a second less, and signals reach
 * the app itself. Anything with a shell character goes through the manager.
 */
function plainNodeCommand(manifest: Manifest, script: string): Words | null {
  if (manifest.scripts.has("prestart") || manifest.scripts.has("poststart")) return null;
  const words = script.trim().split(/\s+/);
  const [program, ...rest] = words;
  if (program !== "node" || rest.length === 0) return null;
  return words.every((word) => /^[\w./@:=-]+$/.test(word)) ? ["node", ...rest] : null;
}

async function firstWithIndex(directory: string, folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    if ((await isInside(directory, folder)) && (await isPlainFile(join(directory, folder), "index.html")))
      return folder;
  }
  return null;
}

function toWords(words: readonly string[] | undefined): Words | null {
  const [first, ...rest] = words ?? [];
  return first === undefined ? null : [first, ...rest];
}

function undetected(looked: readonly string[]): Fault {
  return Fault.of("BUILD_UNDETECTED", "", {
    message: `Nothing to build was found. Looked for: ${looked.join(", ")}`,
    evidence: { words: looked.join(", ") },
  });
}
