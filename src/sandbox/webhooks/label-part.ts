import { createHash } from "node:crypto";
import type { Project } from "../state.ts";

/** A label is its title here; the number and the colour follow from it, so that they stay the same from payload to payload. */
export function labelPart(project: Project, title: string): Record<string, unknown> {
  const digest = createHash("sha256").update(title).digest();
  return {
    id: digest.readUIntBE(0, 4) + 1,
    title,
    color: `#${digest.toString("hex", 4, 7)}`,
    project_id: project.id,
    created_at: "2024-01-01 00:00:00 UTC",
    updated_at: "2024-01-01 00:00:00 UTC",
    template: false,
    description: null,
    type: "ProjectLabel",
    group_id: null,
  };
}
