/** What `main.ts` is for the runtime: the roles it starts Fairlead's own program in. For tests. */
const [, , role, ...words] = process.argv;
if (role === "__launcher") {
  const { runLauncher } = await import("./launcher.ts");
  await runLauncher(words);
} else if (role === "__static") {
  const { runStaticServer } = await import("./static-server.ts");
  await runStaticServer(words);
} else {
  throw new Error("unknown role");
}
