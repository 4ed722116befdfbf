import { Fault } from "../../src/faults/fault.ts";
import type {
  Branch,
  Commit,
  DeployKey,
  GitLab,
  Hook,
  HookSettings,
  Project,
} from "../../src/gitlab/gitlab.ts";

type Method =
  | "getProject"
  | "findBranch"
  | "listHooks"
  | "createHook"
  | "updateHook"
  | "deleteHook"
  | "testHook"
  | "listDeployKeys"
  | "createDeployKey"
  | "deleteDeployKey";

interface Trouble {
  readonly fault: Fault;
  /** GitLab did it and then failed to say so. */
  readonly afterwards: boolean;
}

/**
 * GitLab as the interface promises it, for what a real one cannot be made to do at will: fail after it has acted, hang, answer in a chosen
 * order. The wire itself is tested against the sandbox.
 */
export interface MemoryGitLab {
  readonly client: GitLab;
  readonly calls: string[];
  readonly hooks: Map<number, Hook & { readonly settings: HookSettings }>;
  readonly keys: Map<number, DeployKey>;
  readonly project: { -readonly [K in keyof Project]: Project[K] };
  /** Branch name → commit; push by setting. */
  readonly heads: Map<string, Commit>;
  signs: boolean;
  /** False: a version that cannot be asked to call a hook. */
  answersTest: boolean;
  disposed: number;
  push(branch: string, sha: string, message?: string): void;
  fail(
    method: Method,
    fault: Fault,
    options?: { readonly times?: number; readonly afterwards?: boolean },
  ): void;
  /** Every call of the method waits until the returned function is called (or its signal aborts). */
  hold(method: Method): () => void;
  addHook(url: string): number;
}

export function createMemoryGitLab(
  overrides: Partial<Project> = {},
  baseUrl = "http://127.0.0.1:9999",
): MemoryGitLab {
  const troubles = new Map<Method, Trouble[]>();
  const holds = new Map<Method, Promise<void>>();
  const origin = new URL(baseUrl).origin;
  let nextId = 100;

  const gitlab: Omit<MemoryGitLab, "client"> = {
    calls: [],
    hooks: new Map(),
    keys: new Map(),
    heads: new Map(),
    signs: true,
    answersTest: true,
    disposed: 0,
    project: {
      id: 42,
      path: "acme/shop",
      webUrl: `${baseUrl}/acme/shop`,
      httpUrl: `${baseUrl}/acme/shop.git`,
      sshUrl: "git@127.0.0.1:acme/shop.git",
      defaultBranch: "main",
      archived: false,
      emptyRepo: false,
      pendingDeletion: false,
      repositoryDisabled: false,
      accessLevel: 40,
      ...overrides,
    },
    push(branch, sha, message = `Commit ${sha.slice(0, 4)}`) {
      gitlab.heads.set(branch, {
        sha,
        title: message.split("\n")[0]!,
        message,
        authorName: "Ada",
        committedAt: "2026-01-01T00:00:00Z",
      });
    },
    fail(method, fault, { times = 1, afterwards = false } = {}) {
      const list = troubles.get(method) ?? [];
      for (let i = 0; i < times; i++) list.push({ fault, afterwards });
      troubles.set(method, list);
    },
    hold(method) {
      let open = (): void => {};
      holds.set(method, new Promise((resolve) => (open = resolve)));
      return () => {
        holds.delete(method);
        open();
      };
    },
    addHook(url) {
      const id = nextId++;
      const settings = { url } as HookSettings;
      gitlab.hooks.set(id, { ...toHook(id, url, null), settings });
      return id;
    },
  };

  const call = async <T>(method: Method, signal: AbortSignal | undefined, act: () => T): Promise<T> => {
    gitlab.calls.push(method);
    const held = holds.get(method);
    if (held) await Promise.race([held, aborted(signal)]);
    signal?.throwIfAborted();
    const trouble = troubles.get(method)?.shift();
    if (trouble && !trouble.afterwards) throw trouble.fault;
    const result = act();
    if (trouble) throw trouble.fault;
    return result;
  };
  const unused = async (): Promise<never> => {
    throw new Error("not part of this test");
  };

  const client: GitLab = {
    baseUrl,
    origin,
    instance: async () => ({ version: "19.0.0", edition: "ee" }),
    findToken: unused,
    getUser: unused,
    probeApiScope: unused,
    findCommit: unused,
    compare: unused,
    setCommitStatus: unused,
    probePermissions: unused,
    findHookEvents: unused,
    findSettings: unused,
    findBranchRules: unused,
    listGroups: unused,
    getGroup: unused,
    listProjects: unused,
    listNamespaces: unused,
    findAccessLevel: unused,
    listBranches: unused,
    listTree: unused,
    findFile: unused,
    rotateToken: unused,
    findAssociations: unused,
    probeGit: unused,
    getProject: (ref, options) =>
      call("getProject", options?.signal, () => {
        if (ref !== gitlab.project.id && ref !== gitlab.project.path)
          throw Fault.of("PROJECT_NOT_FOUND", "hidden_or_missing");
        return { ...gitlab.project };
      }),
    findBranch: (_id, name, options) =>
      call("findBranch", options?.signal, (): Branch | null => {
        const commit = gitlab.heads.get(name);
        return commit ? { name, commit } : null;
      }),
    listHooks: (_id, options) => call("listHooks", options?.signal, () => [...gitlab.hooks.values()]),
    createHook: (_id, settings, options) =>
      call("createHook", options?.signal, () => {
        const id = nextId++;
        const hook = { ...toHook(id, settings.url, gitlab.signs), settings };
        gitlab.hooks.set(id, hook);
        return hook;
      }),
    updateHook: (_id, hookId, settings, options) =>
      call("updateHook", options?.signal, () => {
        if (!gitlab.hooks.has(hookId)) throw Fault.of("PROJECT_NOT_FOUND", "hidden_or_missing");
        const hook = { ...toHook(hookId, settings.url, gitlab.signs), settings };
        gitlab.hooks.set(hookId, hook);
        return hook;
      }),
    deleteHook: (_id, hookId, options) =>
      call("deleteHook", options?.signal, () => gitlab.hooks.delete(hookId)),
    testHook: (_id, hookId, options) =>
      call("testHook", options?.signal, () => {
        const hook = gitlab.hooks.get(hookId);
        if (hook && gitlab.answersTest) gitlab.hooks.set(hookId, { ...hook, alertStatus: "executable" });
        return gitlab.answersTest;
      }),
    listDeployKeys: (_id, options) =>
      call("listDeployKeys", options?.signal, () => [...gitlab.keys.values()]),
    createDeployKey: (_id, title, key, options) =>
      call("createDeployKey", options?.signal, () => {
        const same = [...gitlab.keys.values()].find((known) => known.key === key);
        if (same) return same;
        const made = { id: nextId++, title, key, canPush: false };
        gitlab.keys.set(made.id, made);
        return made;
      }),
    deleteDeployKey: (_id, keyId, options) =>
      call("deleteDeployKey", options?.signal, () => gitlab.keys.delete(keyId)),
    [Symbol.asyncDispose]: async () => void gitlab.disposed++,
  };
  return Object.assign(gitlab, { client });
}

function toHook(id: number, url: string, signingTokenPresent: boolean | null): Hook {
  return {
    id,
    url,
    pushEvents: true,
    tagPushEvents: true,
    mergeRequestsEvents: false,
    branchFilter: null,
    verifiesTls: true,
    alertStatus: "executable",
    tokenPresent: signingTokenPresent === null ? null : true,
    signingTokenPresent,
  };
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(Fault.of("UNREACHABLE", "timeout", { retryable: true }));
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
