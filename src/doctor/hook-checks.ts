import { lookup } from "node:dns/promises";
import { Fault } from "../faults/fault.ts";
import { placesOf } from "../faults/places.ts";
import { describeAddress } from "../gitlab/addresses.ts";
import type { Hook, HookEvent } from "../gitlab/gitlab.ts";
import { describeReceived } from "./observation-checks.ts";
import { toInstance } from "./run-checks.ts";
import { need, type CheckDefinition, type Outcome, type ProjectVisit, type Visit } from "./visit.ts";

export const ADDRESS_CHECK: CheckDefinition = {
  id: "hook.address",
  about: "Fairlead's own address",
  run: checkAddress,
};

export const PRESENT_CHECK: CheckDefinition<ProjectVisit> = {
  id: "hook.present",
  about: "The webhook in GitLab",
  run: checkPresent,
};

export const CALL_CHECKS: readonly CheckDefinition<ProjectVisit>[] = [
  { id: "hook.deliveries", about: "Webhook calls", run: checkCalls },
  { id: "hook.roundtrip", about: "A call from GitLab", run: checkRoundtrip },
];

/** How GitLab sees the address only a call shows; what can be known from here is whether GitLab's default settings would refuse it. */
async function checkAddress(visit: Visit): Promise<Outcome> {
  const { publicUrl } = visit.wishes;
  if (publicUrl === undefined) return { state: "skip", title: "Fairlead's own address: not known here" };
  if (publicUrl === null) {
    return {
      state: "warn",
      title: "GitLab has no address to call: FAIRLEAD_PUBLIC_URL is not set",
      evidence: "Fairlead looks at the branches by itself, which takes up to a minute",
      source: "local",
      fix: "Set FAIRLEAD_PUBLIC_URL to the address by which GitLab's machine reaches this server, and start it again.",
    };
  }
  const host = new URL(publicUrl).hostname.replace(/^\[|\]$/g, "");
  const addresses = await lookup(host, { all: true }).catch(() => []);
  const kinds = new Set(addresses.map(({ address }) => describeAddress(address)));
  const title = `GitLab is told to call ${publicUrl}`;
  const shown = addresses.map(({ address }) => `${address} (${describeAddress(address)})`).join(", ");
  if (kinds.size === 0)
    return {
      state: "unknown",
      title,
      evidence: `${host} has no address on this machine; GitLab's machine may know one`,
      source: "local",
    };
  if (!kinds.has("private") && !kinds.has("loopback"))
    return { state: "ok", title, evidence: shown, source: "local" };
  const gitlab = visit.learnt.base?.host;
  const isBeside =
    kinds.has("loopback") && (gitlab === "localhost" || describeAddress(gitlab ?? "") === "loopback");
  return {
    state: isBeside ? "ok" : "unknown",
    title,
    evidence: `${shown}: GitLab calls such an address only if its administrator allowed it; hook.roundtrip (--probe) finds out`,
    source: "local",
  };
}

async function checkPresent(visit: ProjectVisit): Promise<Outcome> {
  const hooks = visit.here.hooks;
  const path = need(visit.here.project, "a project").path;
  if (hooks === null) return { state: "unknown", title: `The webhooks of ${path} could not be read` };
  const { seen } = visit.target;
  if (seen === null)
    return { state: "skip", title: `${path} has ${hooks.length} webhooks; it is not linked from here` };
  if (seen.hookUrl === null) {
    const reason = seen.pollingBecause ?? "there is no address to call";
    return { state: "ok", title: `${path} is polled, without a webhook`, evidence: reason, source: "local" };
  }
  const ours = hooks.filter((hook) => hook.id === seen.hookId || hook.url === seen.hookUrl);
  const [hook, ...extra] = ours;
  if (!hook) return gone(path, seen.hookId);
  visit.here.ours = hook;
  if (hook.alertStatus === "disabled" || hook.alertStatus === "temporarily_disabled") {
    throw Fault.of("HOOK_DISABLED", "", {
      evidence: { project: path, hook: hook.id, state: hook.alertStatus },
    });
  }
  const wrong = [
    ...faultsOf(hook, seen.hookUrl, visit),
    ...(extra.length > 0 ? [`${extra.length} more of ours besides`] : []),
  ];
  const facts = `webhook ${hook.id}, ${signing(hook)}`;
  if (wrong.length === 0)
    return { state: "ok", title: `${path} has its webhook`, evidence: facts, source: "provider-config" };
  return {
    state: "warn",
    title: `The webhook of ${path} was changed`,
    evidence: `${facts}: ${wrong.join("; ")}`,
    source: "provider-config",
    fix: "Let Fairlead set it right: fairlead doctor --fix.",
  };
}

function gone(path: string, hookId: number | null): Outcome {
  return {
    state: "warn",
    title: `The webhook of ${path} is gone`,
    evidence: `${hookId === null ? "there is none" : `webhook ${hookId} was deleted in GitLab`}; Fairlead looks at the branches by itself meanwhile`,
    source: "provider-config",
    fix: "Let Fairlead make it again: fairlead doctor --fix.",
  };
}

function faultsOf(hook: Hook, url: string, visit: Visit): string[] {
  const https = url.startsWith("https:");
  return [
    ...(hook.url === url ? [] : ["it calls another address"]),
    ...(hook.pushEvents ? [] : ["push events are switched off"]),
    ...(hook.branchFilter === null ? [] : [`it is for branches like ${hook.branchFilter} only`]),
    ...(https && !hook.verifiesTls ? ["it does not check our certificate"] : []),
    ...(hook.signingTokenPresent === false && canSign(visit) ? ["its signing token is missing"] : []),
  ];
}

function canSign(visit: Visit): boolean {
  return Number((visit.learnt.instance?.version ?? "0").split(".")[0]) >= 19;
}

function signing(hook: Hook): string {
  return hook.signingTokenPresent ? "signed" : "with a secret";
}

/** GitLab's own log against ours: it counts a login page's 200 and a redirect as success, so only the difference shows them. */
async function checkCalls(visit: ProjectVisit, signal: AbortSignal): Promise<Outcome> {
  const { seen } = visit.target;
  if (seen === null) return { state: "skip", title: "Webhook calls: not linked from here" };
  const ours = visit.here.ours;
  const project = need(visit.here.project, "a project");
  const received = describeReceived(seen.deliveries);
  const events =
    ours === null
      ? null
      : await need(visit.learnt.gitlab, "a GitLab").findHookEvents(project.id, ours.id, { signal });
  if (events === null || events.length === 0 || received.state === "warn") return received;
  return compareCalls(events, seen.deliveries.accepted, received, visit);
}

function compareCalls(events: readonly HookEvent[], seen: number, received: Outcome, visit: Visit): Outcome {
  const good = events.filter(({ status }) => /^[23]\d\d$/.test(status)).length;
  const slowest = Math.max(0, ...events.map(({ seconds }) => seconds ?? 0));
  const evidence = `GitLab sent ${events.length}, of them ${good} answered; the slowest took ${slowest.toFixed(1)} s; ${seen} arrived here`;
  if (good > 0 && seen === 0) {
    return {
      state: "warn",
      title: "GitLab's calls are answered, but not by Fairlead",
      evidence,
      source: "provider-delivery",
      fix: "Something between answers for Fairlead: a sign-in page, a proxy, or a redirect from http to https. Set FAIRLEAD_PUBLIC_URL to the address that leads here without any, and exempt /hooks/gitlab/ from sign-in.",
    };
  }
  const [newest] = events;
  if (newest && !/^2\d\d$/.test(newest.status)) {
    return {
      state: "warn",
      title: `GitLab's newest call ended with ${newest.status}`,
      evidence,
      source: "provider-delivery",
      fix: `Open the webhook's recent events, which show the answer: ${placesOf(toInstance(visit)).webhooks()}.`,
    };
  }
  return { ...received, evidence, source: "provider-delivery" };
}

/** Lets GitLab call: the one probe that GitLab logs. */
async function checkRoundtrip(visit: ProjectVisit, signal: AbortSignal): Promise<Outcome> {
  const { seen } = visit.target;
  if (!visit.wishes.probe)
    return { state: "skip", title: "A call from GitLab: only with --probe, because GitLab logs it" };
  const hook = visit.here.ours;
  if (seen === null || hook === null)
    return { state: "skip", title: "A call from GitLab: there is no webhook of ours" };
  const gitlab = need(visit.learnt.gitlab, "a GitLab");
  const projectId = need(visit.here.project, "a project").id;
  const before = new Date(visit.clock.now() - 1000);
  if (!(await gitlab.testHook(projectId, hook.id, { signal })))
    return { state: "unknown", title: "This GitLab cannot be asked to call (it can from 16.11 on)" };
  const arrived = await seen.countSince(before);
  if (arrived > 0) return { state: "ok", title: "GitLab reaches Fairlead", source: "provider-delivery" };
  return {
    state: "warn",
    title: "GitLab's call was answered, but not by Fairlead",
    source: "provider-delivery",
    evidence: "GitLab says that its call succeeded; none arrived here",
    fix: "Something between answers for Fairlead: a sign-in page, a proxy, or a redirect. Exempt /hooks/gitlab/ from it.",
  };
}
