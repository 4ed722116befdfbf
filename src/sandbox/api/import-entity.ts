import { LEVEL, levelIn } from "../access.ts";
import type { Box } from "../box.ts";
import type { Project, User } from "../state.ts";

const HIDDEN_ERROR = "Ask a maintainer to check the import status for more details.";

/** What every project tells of how it came to be. Why an import failed is for Maintainers (§9.5). */
export function importFields(box: Box, project: Project, reader: User | null): Record<string, unknown> {
  const { url = null, type = null, status = "none", error = null } = project.import ?? {};
  const told = levelIn(box.state, reader, project) >= LEVEL.maintainer;
  return {
    import_url: url,
    import_type: type,
    import_status: status,
    import_error: error === null || told ? error : HIDDEN_ERROR,
  };
}
