import { createHash, randomUUID } from "node:crypto";
import Fastify from "fastify";
import { Pool } from "pg";

/**
 * The least that could be called a webhook receiver: `bare-receiver.ts PORT DATABASE_URL`. Fastify parses the body and each request is one
 * `insert`, committed before the answer. No verification, no judgement, nobody is notified.
 */
const [port, connectionString] = process.argv.slice(2);
const pool = new Pool({ connectionString, max: 16 });
const app = Fastify({ logger: false });
const INSERT = {
  name: "insert",
  text: `insert into bare_delivery (id, linked_project_id, event, dedupe_key, headers, payload, body_bytes, state)
    values ($1, 'one', 'push', $2, $3, $4, $5, 'received')`,
};

app.get("/hook", async () => "ready");
app.post("/hook", async (request, reply) => {
  const id = randomUUID();
  const payload = JSON.stringify(request.body);
  const key = createHash("sha256").update(payload).digest("hex");
  const headers = JSON.stringify({
    event: request.headers["x-gitlab-event"],
    uuid: request.headers["x-gitlab-event-uuid"],
  });
  await pool.query({ ...INSERT, values: [id, key, headers, payload, payload.length] });
  return reply.code(202).send({ accepted: true, id });
});
await app.listen({ host: "127.0.0.1", port: Number(port) });
