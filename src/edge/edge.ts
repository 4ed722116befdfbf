/**
 * The edge: the proxy by which people's requests enter. It lives in a process of its own, keeps serving while the control plane
 * is away, and persists its routes and generation before it acknowledges a change.
 *
 * Every call may be repeated and may run concurrently with others. Calls throw `RUNTIME_UNAVAILABLE` when the edge cannot be
 * reached; a change that threw may or may not have been applied: ask `routes()`.
 */
export interface Target {
  /** 127.0.0.1 in the process runtime. */
  readonly host: string;
  readonly port: number;
}

export interface Route {
  /** The request's host name without port, lower case. The key of the route. */
  readonly host: string;
  readonly environmentId: string;
  readonly releaseId: string;
  readonly targets: readonly Target[];
  /**
   * Fencing: from one sequence for all routes. A route is replaced only by one of a higher generation; a lower or equal one
   * with other content is refused.
   */
  readonly generation: number;
}

export interface SwitchResult {
  /** False: refused, because the edge already holds a newer generation of this host; nothing changed. */
  readonly applied: boolean;
  /** What the edge held before, if anything. */
  readonly previous: Route | null;
}

export interface Edge {
  /**
   * Makes `route` what its host answers with. After it returns with `applied`, the route is on disk and every new request goes
   * to its targets; requests under way on the previous targets go on undisturbed.
   */
  switchRoute(route: Route): Promise<SwitchResult>;

  /**
   * Resolves when no request is under way to `target` any more, or after `timeoutMs` (then the rest is cut off when the
   * replica stops). Waits at least one second after the switch, so that connections accepted meanwhile are served.
   */
  drain(target: Target, timeoutMs: number): Promise<{ readonly drained: boolean }>;

  /** Removes a host unless it holds a generation above the given one. Absent: nothing happens. */
  removeRoute(host: string, generation: number): Promise<void>;

  /** What the edge serves now: the truth for recovery. */
  routes(): Promise<readonly Route[]>;

  /** Makes the given routes all there is, keeping any route of a higher generation than `generation`. At start of the control plane. */
  replaceRoutes(all: readonly Route[], generation: number): Promise<void>;

  /** Where people's requests enter, for example `http://127.0.0.1:8080`. */
  address(): Promise<{ readonly host: string; readonly port: number }>;
}
