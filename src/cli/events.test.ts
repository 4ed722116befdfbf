import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseEvents, type ServerEvent } from "./events.ts";

async function parse(bytes: Uint8Array, cuts: readonly number[]): Promise<ServerEvent[]> {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    let from = 0;
    for (const to of [...cuts].sort((a, b) => a - b)) {
      yield bytes.subarray(from, to);
      from = Math.max(from, to);
    }
    yield bytes.subarray(from);
  };
  const events: ServerEvent[] = [];
  for await (const event of parseEvents(chunks())) events.push(event);
  return events;
}

const STREAM =
  ': open\n\nid: 1\nevent: line\ndata: {"text":"ü: “x”"}\n\n: waiting\n\nevent: end\ndata: {}\n\n';

test("events come out whole, however the bytes are cut", async () => {
  const bytes = new TextEncoder().encode(STREAM);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
      expect(await parse(bytes, cuts)).toEqual([
        { name: "line", id: "1", data: '{"text":"ü: “x”"}' },
        { name: "end", id: null, data: "{}" },
      ]);
    }),
  );
});

test("an event that is cut off is dropped, comments and rubbish too", async () => {
  const bytes = new TextEncoder().encode("rubbish\n\n:x\n\nevent: line\n\nevent: end\ndata: {");
  expect(await parse(bytes, [])).toEqual([]);
});
