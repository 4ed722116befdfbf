import { Fault } from "../faults/fault.ts";
import { randomToken } from "../kernel/ids.ts";
import { toEvidence } from "./answer.ts";
import { accountFault } from "./classify-refusal.ts";
import type { TokenLife } from "./rotation.ts";
import type { Transport } from "./transport.ts";

const TEMPLATE = "/:namespace/:project.git/info/refs";

/**
 * GitLab looks at the token's scopes before it looks for the project (`lib/gitlab/git_access.rb`), so a repository that cannot exist tells. The
 * namespace must not exist either: in one that does, asking to push makes the project at once.
 */
export function createGitProbe(transport: Transport): TokenLife["probeGit"] {
  return async (access, call) => {
    const answer = await transport.ask({
      method: "GET",
      template: TEMPLATE,
      params: { namespace: `fairlead-probe-${randomToken(12).toLowerCase()}`, project: "x" },
      query: { service: access === "read" ? "git-upload-pack" : "git-receive-pack" },
      git: true,
      ...call,
    });
    const words = firstLine(answer.text, transport);
    const evidence = { ...toEvidence(answer, transport.redact), words };
    if (answer.status === 404 && /^The (project|namespace) you were looking for/.test(words)) return true;
    if (answer.status === 403 && /^You are not allowed to (down|up)load code\.?$/.test(words)) return false;
    if (answer.status === 403 && /insufficient_(granular_)?scope/.test(words)) return false;
    if (/(Git access|Pulling|Pushing) over HTTP is not allowed/.test(words)) {
      throw Fault.of("GIT_PROTOCOL_DISABLED", "", { evidence });
    }
    if (answer.status === 401) throw Fault.of("GIT_AUTH_FAILED", "", { evidence });
    throw (answer.status === 403 && accountFault(words, evidence)) || transport.explain(answer);
  };
}

function firstLine(text: string, { redact }: Transport): string {
  return redact(text).trim().split("\n")[0]?.slice(0, 500) ?? "";
}
