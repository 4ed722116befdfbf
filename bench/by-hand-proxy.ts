import { readFileSync } from "node:fs";
import { Agent, createServer, request } from "node:http";

/** The proxy of `by-hand.sh`: `by-hand-proxy.ts PORT FILE` sends each request to the port that the file names at that moment. */
const [port, file] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true });

createServer((incoming, response) => {
  const fail = (): void => void response.writeHead(502).end();
  let target = "";
  try {
    target = readFileSync(String(file), "utf8").trim();
  } catch {
    return fail(); // nothing was deployed yet
  }
  const options = {
    host: "127.0.0.1",
    port: target,
    path: incoming.url,
    method: incoming.method,
    headers: incoming.headers,
    agent,
  };
  const outgoing = request(options, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on("error", fail);
  incoming.pipe(outgoing);
}).listen(Number(port), "127.0.0.1");
