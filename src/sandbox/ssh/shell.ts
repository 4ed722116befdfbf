// What `sshd` starts for everybody who comes in: carries bytes between the client and the sandbox, which does the work.
import { connect } from "node:net";
import { createFrameReader } from "./frames.ts";

const [socketPath = "", key = "", protocol = "", command = ""] = process.argv.slice(2);

const desk = connect({ path: socketPath, allowHalfOpen: true });
const read = createFrameReader();
desk.on("connect", () => {
  desk.write(`${JSON.stringify({ key, protocol, command })}\n`);
  process.stdin.pipe(desk);
});
desk.on("data", (bytes: Buffer) => {
  for (const { channel, payload } of read(bytes)) {
    if (channel === "exit") leave(payload[0] ?? 1);
    else if (!process[channel].write(payload)) {
      desk.pause();
      process[channel].once("drain", () => desk.resume());
    }
  }
});
// The sandbox has ended: for the client the connection breaks.
desk.on("error", () => process.exit(128));
desk.on("close", () => process.exit(process.exitCode ?? 128));
process.stdin.on("error", () => desk.destroy());
process.stdout.on("error", () => desk.destroy());

/** Ends when everything is written: a pipe may still be full. */
function leave(code: number): void {
  process.exitCode = code;
  process.stdout.end(() => process.stderr.end(() => process.exit(code)));
}
