import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Box } from "../box.ts";
import type { Knobs } from "../control/knobs.ts";
import type { Reply } from "../reply.ts";
import { WHOLE, type Carriage } from "../wire.ts";
import { FRONT_ANSWERS, page } from "./answers.ts";
import { fits } from "./patterns.ts";

type FrontKnobs = Knobs["faults"]["front"];

/** What happens to a request before GitLab sees it. */
export type Front =
  | { readonly kind: "reset" | "hang" }
  | { readonly kind: "answer"; readonly reply: Reply }
  /** GitLab answers, and its body arrives like this. */
  | { readonly kind: "pass"; readonly carriage: Carriage };

const UNHARMED: Front = { kind: "pass", carriage: WHOLE };

/** Decides by the knobs, and counts down those that count. `path` is below the relative root, or what was asked for outside. */
export function passFront(box: Box, request: IncomingMessage, path: string): Front {
  const { front, requireClientCertificate } = box.state.faults;
  if (requireClientCertificate && !isAuthorized(request.socket)) {
    return { kind: "answer", reply: noCertificate() };
  }
  if (!strikes(front, request.method ?? "", path)) return UNHARMED;
  const { answer, body, bytesPerSecond } = front;
  if (answer === "none") return { kind: "pass", carriage: { body, bytesPerSecond } };
  if (answer === "reset" || answer === "hang") return { kind: answer };
  return { kind: "answer", reply: FRONT_ANSWERS[answer](box, request) };
}

/** How long this request waits. */
export function latencyOf(box: Box, path: string): number {
  const { latencyMs, latencyByPath } = box.state.faults;
  const further = Object.entries(latencyByPath).filter(([pattern]) => fits(pattern, path));
  return further.reduce((sum, [, ms]) => sum + ms, latencyMs);
}

/** Whether this request is one that the knobs of `front` hit. Nothing is counted while they do nothing. */
function strikes(front: FrontKnobs, method: string, path: string): boolean {
  if (front.answer === "none" && front.body === "whole" && front.bytesPerSecond === null) return false;
  const concerned = front.methods.length === 0 || front.methods.some((one) => one === method);
  if (!concerned || !fits(front.path, path)) return false;
  if (front.after > 0) {
    front.after--;
    return false;
  }
  if (front.times === 0) return false;
  if (front.times !== null) front.times--;
  return true;
}

/** A plain connection has nothing to show and nothing to ask for. */
function isAuthorized(socket: Socket): boolean {
  return !(socket instanceof TLSSocket) || socket.authorized;
}

function noCertificate(): Reply {
  const words =
    "<center><h1>400 Bad Request</h1></center>\n<center>No required SSL certificate was sent</center>\n<hr><center>nginx</center>";
  return page(400, "400 No required SSL certificate was sent", words);
}
