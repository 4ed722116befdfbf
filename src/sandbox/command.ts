import { createSandbox } from "./sandbox.ts";

export interface SandboxCommandOptions {
  readonly version?: string | undefined;
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly searchPath?: string | undefined;
  /** One JSON object instead of lines for people. */
  readonly json?: boolean | undefined;
}

const EXAMPLE: Readonly<Record<string, string>> = {
  "index.html":
    '<!DOCTYPE html>\n<html lang="en">\n<title>Hello</title>\n<h1>Hello from the sandbox</h1>\n</html>\n',
  "README.md": "# hello\n\nAn example project: one static page.\n",
};

/** `fairlead sandbox`: runs a GitLab in a box until the signal aborts. Throws a `RangeError` for options that make no sense. */
export async function runSandbox(
  options: SandboxCommandOptions,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  await using sandbox = await createSandbox({
    ...(options.version === undefined ? {} : { version: options.version }),
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    ...(options.searchPath === undefined ? {} : { searchPath: options.searchPath }),
  });
  const { state } = sandbox;
  const user = state.createUser({ username: "demo", name: "Demo User" });
  const token = state.createToken({ user, name: "sandbox", scopes: ["api"] });
  const project = await state.createProject({ path: "demo/hello", owner: user, files: EXAMPLE });
  const facts = {
    version: sandbox.version,
    url: sandbox.url,
    token: token.value,
    project: project.fullPath,
    cloneUrl: `${sandbox.url}/${project.fullPath}.git`,
  };
  if (options.json === true) print(JSON.stringify(facts));
  else tell(facts, print);
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const stay = setInterval(() => {}, 2 ** 30); // an abort signal alone does not keep a process alive
    signal.addEventListener(
      "abort",
      () => {
        clearInterval(stay);
        resolve();
      },
      { once: true },
    );
  });
}

interface Facts {
  readonly version: string;
  readonly url: string;
  readonly token: string;
  readonly project: string;
  readonly cloneUrl: string;
}

function tell({ version, url, token, project, cloneUrl }: Facts, print: (line: string) => void): void {
  print(`GitLab ${version} in a box: ${url}`);
  print(
    "This is no place for real code: everyone who can reach this address and has the token can read and write",
  );
  print("all of it, and what it holds is gone when it ends.");
  print(`Token with scope api: ${token}`);
  print(`Example project: ${url}/${project}`);
  print(`  git clone ${cloneUrl}     user name: any, password: the token`);
  print("Ctrl-C ends it.");
}
