import type { AppAnswer, HookByHandAnswer } from "../http/contract.ts";
import type { Context } from "./context.ts";
import { shortCommit } from "./table.ts";
import { plain } from "./terminal.ts";

/** Trouble with the webhook first, then where the app runs. */
export function printApp({ terminal }: Context, app: AppAnswer): void {
  if (app.hook.state !== "active") {
    terminal.out(
      `  ${terminal.paint("yellow", "!")} webhook: ${app.hook.state}${app.hook.reason === null ? "" : `, ${plain(app.hook.reason)}`}`,
    );
  }
  if (app.hook.state === "polling") {
    terminal.out(terminal.paint("dim", `    to make it by hand: fairlead app ${plain(app.name)} --hook`));
  }
  for (const environment of app.environments) {
    const live =
      environment.liveCommit === null ? "nothing live yet" : `live ${shortCommit(environment.liveCommit)}`;
    terminal.out(
      `  ${plain(environment.name)}  ${plain(environment.branch)}  ${live}  ${plain(environment.url)}`,
    );
  }
  if (app.hook.state === "active") {
    terminal.out(
      terminal.paint("dim", `  webhook: active, verified by ${app.hook.signed ? "signature" : "secret"}`),
    );
  }
}

/** As GitLab's form asks for it, from above to below. */
export function printHookByHand({ terminal }: Context, hook: HookByHandAnswer): void {
  terminal.out(`Add a webhook: ${plain(hook.page)}`);
  terminal.out(`  URL               ${plain(hook.url)}`);
  terminal.out(`  Secret token      ${plain(hook.secret)}`);
  terminal.out(`  Trigger           ${hook.triggers.map(plain).join(", ")}`);
  terminal.out("  SSL verification  on");
}
