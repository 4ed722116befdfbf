import { expect } from "vitest";
import type { Actor, Json, QuickStep, Rule, Situation, Step } from "./situation.ts";

export const NOWHERE = 99_999_999;

export function as(actor: Actor): QuickStep {
  return (situation) => {
    situation.actor = actor;
  };
}

export function path(values: Readonly<Record<string, string | number>>): QuickStep {
  return (situation) => {
    Object.assign(situation.path, values);
  };
}

/** The row that this part of the path names does not exist. */
export function missing(name: string): QuickStep {
  return path({ [name]: NOWHERE });
}

export function query(values: Readonly<Record<string, string | number | boolean>>): QuickStep {
  return (situation) => {
    Object.assign(situation.query, values);
  };
}

/** Adds to the body. */
export function send(values: Readonly<Record<string, unknown>>): QuickStep {
  return (situation) => {
    situation.body = { ...(situation.body as object), ...values };
  };
}

/** The body is this and nothing else. */
export function only(body: Record<string, unknown> | string, contentType = "application/json"): QuickStep {
  return (situation) => {
    situation.body = body;
    situation.contentType = contentType;
  };
}

export function without(...names: readonly string[]): QuickStep {
  return (situation) => {
    const kept = Object.entries(Object(situation.body)).filter(([name]) => !names.includes(name));
    situation.body = Object.fromEntries(kept);
  };
}

export function given(step: Step): Step {
  return step;
}

/** The asker's token has these scopes alone. */
export function scopes(...names: readonly string[]): QuickStep {
  return (situation) => {
    const user = situation.world.userOf(situation.actor ?? "owner");
    situation.token = situation.world.scene.tokenWith({ user, scopes: names });
  };
}

export const publicProject: QuickStep = ({ project }) => {
  project.visibility = "public";
};

export function check(look: (body: Json, situation: Situation) => void): QuickStep {
  return ({ checks }) => {
    checks.push((answer, situation) => look(answer.body, situation));
  };
}

/** Part of the body. */
export function answers(part: Readonly<Record<string, unknown>>): QuickStep {
  return check((body) => expect(body).toMatchObject(part));
}

/** The list's rows, each as one field of it. */
export function lists(field: string, ...values: readonly unknown[]): QuickStep {
  return check((body) => expect(body.map((row: Json) => row[field])).toEqual(values));
}

/** A list that has some rows. */
export const some: QuickStep = check((body) => expect(body.length).toBeGreaterThan(0));
export const none: QuickStep = check((body) => expect(body).toEqual([]));

/** People, in the words of all specs. They alone make a fact of a refusal; of an answer the endpoint's own rules must know more. */
export const PEOPLE: readonly Rule[] = [
  [/\bguest\b/, as("guest")],
  [/\breporter\b/, as("reporter")],
  [/\bdeveloper\b/, as("developer")],
  [/\bmaintainer\b/, as("maintainer")],
  [/\bowner\b(?! of the )|as an owner/, as("owner")],
  [/\b(as|with|an) (an |the )?admin(istrator)?\b|logged in as an Administrator|user is admin/i, as("admin")],
  [/non-?admin/i, as("owner")],
  [/non-?\s?member|user is not a member|not attached to|cannot see/i, as("stranger")],
  [
    /unauthenticated|not authenticated|unauthorized user|anonymous|without user|user is unauthorized/i,
    as(null),
  ],
];
