import { z } from "zod";
import type { Box } from "../box.ts";
import type { Group, Project, User } from "../state.ts";
import { InvalidInput, problemsOf } from "./set-knobs.ts";

/** Something a person or a test does to a sandbox beside GitLab's API. */
export interface Action {
  readonly about: string;
  readonly params: z.ZodObject;
  /** What is wrong with parameters, each with its place below `prefix`. */
  problems(given: unknown, prefix: string): readonly string[];
  /** Throws `InvalidInput` for parameters, and a `RangeError` for what cannot be. */
  run(box: Box, given: unknown): Promise<object>;
}

export function action<Shape extends z.ZodRawShape>(
  about: string,
  shape: Shape,
  run: (box: Box, params: z.output<z.ZodObject<Shape, z.core.$strict>>) => object | Promise<object>,
): Action {
  const params = z.strictObject(shape);
  return {
    about,
    params,
    problems: (given, prefix) => {
      const result = params.safeParse(given);
      return result.success ? [] : problemsOf(result.error, prefix, "parameter");
    },
    run: async (box, given) => {
      const result = params.safeParse(given);
      if (!result.success) throw new InvalidInput(problemsOf(result.error, "", "parameter"));
      return run(box, result.data);
    },
  };
}

/** Users, projects and groups are named by id or by name. */
export const who = z.union([z.int().min(1), z.string().min(1)]).meta({ shown: "user name or id" });
export const where = z.union([z.int().min(1), z.string().min(1)]).meta({ shown: "path or id" });

export function findUser({ state }: Box, name: string | number): User {
  const user =
    typeof name === "number"
      ? state.users.get(name)
      : [...state.users.values()].find((one) => one.username === name);
  if (!user) throw new RangeError(`there is no user ${name}`);
  return user;
}

export function findProject({ state }: Box, name: string | number): Project {
  const project =
    typeof name === "number" ? state.projects.get(name) : state.projectsByPath.get(name.toLowerCase());
  if (!project) throw new RangeError(`there is no project ${name}`);
  return project;
}

/** A project or a group, by its full path; numbers are ids of projects. */
export function findPlace(box: Box, name: string | number): Project | Group {
  const group = typeof name === "string" ? box.state.groupsByPath.get(name.toLowerCase()) : undefined;
  return group ?? findProject(box, name);
}
