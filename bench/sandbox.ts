import { createSandbox } from "../src/sandbox/sandbox.ts";
import { judge, type Bench } from "./result.ts";
import { median } from "./statistics.ts";

const PROJECTS = 10_000;
const PER_PAGE = 100;
const ROUNDS = 5;

/** A sandbox in this process: how long a test waits for one of its own, and how long for a long list. */
export const sandboxBench: Bench = {
  name: "sandbox",
  async run(tell, undo) {
    const starts: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const begun = performance.now();
      const sandbox = await createSandbox();
      await read(`${sandbox.url}/users/sign_in`);
      starts.push((performance.now() - begun) / 1000);
      await sandbox.close();
      tell(`start ${round}: ${starts.at(-1)?.toFixed(3)} s`);
    }
    const sandbox = undo.use(await createSandbox());
    const { state } = sandbox;
    const owner = state.createUser({ username: "ada" });
    const token = state.createToken({ user: owner }).value;
    for (let number = 1; number <= PROJECTS; number++) {
      await state.createProject({ path: `acme/project-${number}`, owner });
    }
    const lists: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      const begun = performance.now();
      await listAll(`${sandbox.url}/api/v4/projects?membership=true`, token);
      lists.push((performance.now() - begun) / 1000);
      tell(`list ${round}: ${lists.at(-1)?.toFixed(2)} s`);
    }
    return [
      judge({
        name: "sandbox: start until it answers",
        measured: median(starts),
        unit: "s",
        target: { most: 0.5 },
        detail: rangeOf(starts),
      }),
      judge({
        name: "sandbox: 10,000 projects listed by 100",
        measured: median(lists),
        unit: "s",
        target: { most: 3 },
        detail: rangeOf(lists),
      }),
    ];
  },
};

/** Page after page, as a client with offset pages must. Throws when a project is missing. */
async function listAll(url: string, token: string): Promise<void> {
  const seen = new Set<number>();
  for (let page = 1; page <= PROJECTS / PER_PAGE; page++) {
    const text = await read(`${url}&per_page=${PER_PAGE}&page=${page}`, { "PRIVATE-TOKEN": token });
    const rows: readonly { readonly id: number }[] = JSON.parse(text);
    for (const { id } of rows) seen.add(id);
  }
  if (seen.size !== PROJECTS) throw new Error(`${seen.size} projects were listed, not ${PROJECTS}`);
}

async function read(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, { headers });
  return response.text();
}

function rangeOf(seconds: readonly number[]): string {
  return `${Math.min(...seconds).toFixed(2)} to ${Math.max(...seconds).toFixed(2)} s, ${seconds.length} rounds`;
}
