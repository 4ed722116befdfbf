import { mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { refreshEtc } from "./machine-etc.ts";
import { environmentOf, placesOf } from "./sandbox-env.ts";
import { userOf } from "./sandbox-folders.ts";
import { mountsOf } from "./sandbox-mounts.ts";
import type { PreparedSandbox, SandboxGround, SandboxRequest } from "./sandbox-request.ts";
import { environmentText } from "./sandbox-scripts.ts";
import type { SandboxSpec } from "./sandbox-spec.ts";
import { handOverOnce } from "./sandbox-user.ts";
import type { Way } from "./ways.ts";

/** Everything about a launch but the launch. The environment must have passed `findUnsettable`. */
export async function prepareSandbox(
  ground: SandboxGround,
  way: Way,
  request: SandboxRequest,
): Promise<PreparedSandbox> {
  const user = userOf(ground, way, request);
  const tmp = join(request.launchFolder, "tmp");
  await mkdir(tmp, { recursive: true, mode: 0o700 });
  if (way.otherUser) await handOverOnce(tmp, user.uid, user.gid);
  if (way.ownTree) await refreshEtc(join(ground.folder, "etc"));
  const places = placesOf(way, request, tmp);
  const spec: SandboxSpec = {
    ...(way.ownTree ? await mountsOf(ground, request, user, tmp) : { mounts: [], links: [] }),
    directory: join(places.app, relative(request.folder.path, request.directory)),
    argv: request.argv,
    user,
    limits: { files: ground.openFiles, tasks: way.otherUser ? request.tasks : null },
  };
  const word = `FAIRLEAD_SANDBOX=${request.id}`;
  const env = environmentOf(ground, way, request, places);
  return {
    wrapped: await way.wrap(spec, request.launchFolder),
    input: environmentText(env),
    containment: way.containment(spec, word),
  };
}
