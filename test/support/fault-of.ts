import { expect } from "vitest";
import { Fault } from "../../src/faults/fault.ts";

/** The Fault that `work` is rejected with. */
export async function faultOf(work: Promise<unknown>): Promise<Fault> {
  const thrown: unknown = await work.then(
    () => "nothing was thrown",
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(Fault);
  return thrown as Fault;
}
