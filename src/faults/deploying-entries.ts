import { fact, type Entries } from "./entry.ts";

type Deploying =
  | "BUILD_UNDETECTED"
  | "BUILD_FAILED"
  | "BUILD_TIMEOUT"
  | "START_FAILED"
  | "UNHEALTHY"
  | "SUPERSEDED"
  | "CANCELLED"
  | "LOST_WORKER"
  | "RUNTIME_UNAVAILABLE";

const serving = "What was live before goes on serving.";
const readLog = "Read the log: fairlead logs --deployment DEPLOYMENT.";

export const deployingEntries: Entries<Deploying> = {
  BUILD_UNDETECTED: {
    "": {
      title: "It is not clear how to build this repository",
      cause: `Neither a package.json nor a page (index.html) was found where it was looked for. ${serving}`,
      fix: () => [
        "Add a package.json with a start script, or an index.html, at the root of the repository.",
        "If the app is in a folder of it, link it with that folder: build.root of POST /api/v1/apps.",
      ],
    },
  },
  BUILD_FAILED: {
    "": {
      title: "The build failed",
      cause: `A command of the build ended with an error. ${serving}`,
      fix: () => [
        readLog,
        "Fix it and push again. To see it on your machine, run the same command in a fresh clone.",
      ],
    },
  },
  BUILD_TIMEOUT: {
    "": {
      title: "The build took too long",
      cause: `The build did not end before its deadline and was stopped. ${serving}`,
      fix: () => [
        readLog,
        "Look for a command that waits for an answer, or starts a server instead of building.",
      ],
    },
  },
  START_FAILED: {
    "": {
      title: "The app could not be started",
      cause: `The start command could not be run. ${serving}`,
      fix: () => ["Check the start script in package.json.", readLog],
    },
  },
  UNHEALTHY: {
    timeout: {
      title: "The app did not become healthy in time",
      cause: `The app started, but did not answer its health check before the deadline. ${serving}`,
      fix: () => [
        "The app must listen on the port in the environment variable PORT, on 0.0.0.0 or 127.0.0.1.",
        "If it answers elsewhere than at /, give the path: fairlead link … --health-path /up.",
        readLog,
      ],
    },
    exited: {
      title: "The app ended right after its start",
      cause: `The app's process ended before it was healthy. ${serving}`,
      fix: () => [
        readLog,
        "Start it on your machine as production does: NODE_ENV=production PORT=3000 npm start.",
      ],
    },
    bad_status: {
      title: "The health check was answered with an error",
      cause: ({ evidence }) =>
        `The app answers its health check with status ${fact(evidence, "status", "500 or above")}. ${serving}`,
      fix: () => [
        "Open the health path on your machine: it must answer below 500 (with a health path of your own: 200 to 299).",
        readLog,
      ],
    },
  },
  SUPERSEDED: {
    "": {
      title: "A newer commit took its place",
      cause:
        "While this deployment waited, a newer commit for the same environment came in: only the newest is deployed.",
      fix: () => ["Nothing to do."],
    },
  },
  CANCELLED: {
    "": {
      title: "It was cancelled",
      cause: "Somebody cancelled it, or the server was stopped.",
      fix: () => ["Deploy again when you want it: fairlead deploy APP."],
    },
  },
  LOST_WORKER: {
    "": {
      title: "The worker was lost",
      cause: `The process that was deploying stopped or lost its connection, and another took over or put everything back. ${serving}`,
      fix: () => ["Usually nothing: it is tried again. If not: fairlead redeploy APP."],
    },
  },
  RUNTIME_UNAVAILABLE: {
    "": {
      title: "This machine cannot do it now",
      cause:
        "Something that Fairlead needs on its machine is missing or does not answer: the edge, a program, a free port.",
      fix: () => ["Restart Fairlead; if it stays, read its log and the evidence below."],
    },
    no_isolation: {
      title: "Builds and apps cannot be isolated on this machine",
      cause:
        "Neither namespaces (bubblewrap) nor a second user id work here, so a build could read Fairlead's own files. Nothing is built until that changes.",
      fix: () => [
        "Run Fairlead as root (a systemd service does), or allow unprivileged user namespaces and install bubblewrap.",
        "Only if you trust every repository like this machine itself: FAIRLEAD_ALLOW_UNISOLATED=1.",
      ],
    },
  },
};
