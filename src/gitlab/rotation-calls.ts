import { z } from "zod";
import { Fault } from "../faults/fault.ts";
import { Secret } from "../kernel/secret.ts";
import { createGitProbe } from "./git-probe.ts";
import { parseAs } from "./parse.ts";
import type { Associations, TokenLife } from "./rotation.ts";
import type { Transport } from "./transport.ts";

const rotatedSchema = z.object({
  token: z.string().min(1),
  expires_at: z
    .string()
    .nullish()
    .transform((date) => /^\d{4}-\d{2}-\d{2}/.exec(date ?? "")?.[0] ?? null),
});

const PER_PAGE = 100;
const id = z.int().positive();
const associationsSchema = z
  .object({
    groups: z.array(z.object({ id, name: z.string() })).catch([]),
    projects: z.array(z.object({ id, path_with_namespace: z.string() })).catch([]),
  })
  .transform(({ groups, projects }): Associations => ({
    groups,
    projects: projects.map((project) => ({ id: project.id, path: project.path_with_namespace })),
    truncated: groups.length >= PER_PAGE || projects.length >= PER_PAGE,
  }));

/** The life of the token itself, and what it reaches. */
export function createTokenLife(transport: Transport): TokenLife {
  return {
    async rotateToken({ token, expiresAt }, call) {
      const template = "/personal_access_tokens/:id/rotate";
      const success = await transport.send({
        method: "POST",
        template,
        params: { id: token },
        body: { expires_at: expiresAt },
        secretAnswer: true,
        ...call,
      });
      const rotated = parseAs(rotatedSchema, success, template);
      return { token: new Secret(rotated.token), expiresAt: rotated.expires_at };
    },

    async findAssociations(minAccessLevel, call) {
      const template = "/personal_access_tokens/self/associations";
      const query = { min_access_level: minAccessLevel, per_page: PER_PAGE };
      try {
        return parseAs(
          associationsSchema,
          await transport.send({ method: "GET", template, query, ...call }),
          template,
        );
      } catch (error) {
        // Before 17.4 another route or none: 404, 405, 400 for "self" as a number.
        if (error instanceof Fault && [400, 404, 405].includes(error.evidence.status ?? 0)) return null;
        throw error;
      }
    },

    probeGit: createGitProbe(transport),
  };
}
