import { createHmac, randomUUID } from "node:crypto";
import type { Hook } from "../../src/sandbox/state.ts";

/** Calls a hook as its GitLab would; with another `key` as somebody who does not know the secret. */
export async function callHook(
  hook: Pick<Hook, "url" | "signingToken" | "token">,
  body: string,
  options: { readonly signingToken?: string; readonly event?: string } = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const key = Buffer.from((options.signingToken ?? hook.signingToken ?? "").replace(/^whsec_/, ""), "base64");
  const id = randomUUID();
  const timestamp = String(Math.floor(Date.now() / 1000));
  const answer = await fetch(hook.url, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "x-gitlab-event": options.event ?? "Push Hook",
      ...(hook.token === null ? {} : { "x-gitlab-token": hook.token }),
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64")}`,
    },
  });
  return { status: answer.status, text: await answer.text() };
}
