import { once } from "node:events";
import { join } from "node:path";
import { readConfig, type Config } from "../config.ts";
import { findFreePort, openWorld, type DemoWorld } from "../demo/stage.ts";
import { playStory } from "../demo/story.ts";
import { createTeller } from "../demo/teller.ts";
import { startServer, type RunningServer } from "./serve.ts";

/** `fairlead demo`: the whole product in a temporary folder. Stays up until Ctrl-C, or with `once` ends at the end; leaves nothing behind either way. */
export async function demo(
  options: { readonly once: boolean; readonly json: boolean },
  output: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<number> {
  const tell = createTeller((line) => output.write(`${line}\n`), options.json);
  await using undo = new AsyncDisposableStack();
  const path = readConfig().passThrough.PATH;
  const world = await tell.make("sandbox", async () => {
    const opened = undo.use(await openWorld(path));
    return { text: `A GitLab ${opened.sandbox.version} in a box: ${opened.sandbox.url}`, value: opened };
  });
  const { server, config } = await tell.make("start", async () => {
    const config = await demoConfig(world);
    const started = await startServer({ config, output: process.stderr, signal });
    undo.defer(() => started.stop(true));
    return {
      text: `Fairlead, its edge and PostgreSQL are up: ${started.apiUrl}`,
      value: { server: started, config },
    };
  });
  const { url } = await playStory({ world, server, tell, searchPath: path, signal });
  if (options.once) {
    tell.say("Done. Everything is stopped and removed.");
    return 0;
  }
  tellHowToGoOn(tell.say, world, server, config, url);
  await Promise.race([once(signal, "abort"), server.broken]);
  tell.say("Stopping everything.");
  return 0;
}

/** Its own folder and ports; nothing of the person's own configuration but where programs are found. */
async function demoConfig({ folder }: DemoWorld): Promise<Config> {
  const port = String(await findFreePort());
  const edgePort = String(await findFreePort());
  const { PATH, HOME, LANG } = readConfig().passThrough;
  return readConfig(
    { PATH, HOME, LANG },
    {
      FAIRLEAD_DATA_DIR: join(folder, "data"),
      FAIRLEAD_PORT: port,
      FAIRLEAD_PUBLIC_URL: `http://127.0.0.1:${port}`,
      FAIRLEAD_EDGE_PORT: edgePort,
      FAIRLEAD_LOG_LEVEL: "error",
      FAIRLEAD_ALLOW_UNISOLATED: "1", // it builds only the page it brings along
    },
  );
}

function tellHowToGoOn(
  say: (text: string) => void,
  world: DemoWorld,
  server: RunningServer,
  config: Config,
  url: string,
): void {
  const commands = `FAIRLEAD_DATA_DIR=${config.dataDir} FAIRLEAD_URL=${server.apiUrl} npm run -s fairlead --`;
  say(`
It stays up until Ctrl-C.
  The app     ${url}
  GitLab      ${world.sandbox.url}
  Push more   git clone ${world.cloneUrl}   (any user name, password: ${world.gitlabToken.reveal()})
  Look on     ${commands} deployments hello`);
}
