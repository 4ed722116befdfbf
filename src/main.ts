/**
 * The only entry. Each program of Fairlead is loaded by itself, so that a launcher or the edge carries nothing of the server in memory.
 * The names with underscores are for Fairlead itself.
 */
const [program, ...words] = process.argv.slice(2);

if (program === "__edge") {
  const { runEdgeProcess } = await import("./edge/process.ts");
  process.exit(await runEdgeProcess(words));
} else if (program === "__launcher") {
  const { runLauncher } = await import("./runtimes/process/launcher.ts");
  await runLauncher(words);
} else if (program === "__static") {
  const { runStaticServer } = await import("./runtimes/process/static-server.ts");
  await runStaticServer(words);
} else {
  const { runCommandLine } = await import("./main/command-line.ts");
  process.exit(await runCommandLine(process.argv.slice(2)));
}
