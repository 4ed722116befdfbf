import type { CODES, FaultCode } from "./codes.ts";
import type { Evidence } from "./fault.ts";
import type { Places } from "./places.ts";

/** What an explanation may draw on. */
export interface Known {
  readonly evidence: Evidence;
  readonly at: Places;
}

/** One code and reason, explained: plain words, no blame, steps that can be done. */
export interface Entry {
  readonly title: string;
  readonly cause: string | ((known: Known) => string);
  /** In the order in which to try them. */
  readonly fix: (known: Known) => readonly string[];
}

/** Every reason of the given codes: what is missing does not compile. */
export type Entries<C extends FaultCode> = {
  readonly [Code in C]: { readonly [Reason in (typeof CODES)[Code][number]]: Entry };
};

/** A fact of the evidence as text, or what to say without it. */
export function fact(evidence: Evidence, name: string, otherwise: string): string {
  const value = evidence[name];
  return value === undefined || value === "" ? otherwise : String(value);
}
