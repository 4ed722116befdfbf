import { types, type ClientConfig } from "pg";

/**
 * bigint comes as a number (counters and GitLab ids, far below 2^53), date as `YYYY-MM-DD`: as a JavaScript date it would move with the
 * time zone. Everything else as pg reads it.
 */
export function connectionConfig(connectionString: string): ClientConfig {
  return {
    connectionString,
    application_name: "fairlead",
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: { getTypeParser: findParser },
  };
}

function findParser(
  ...[oid, format]: Parameters<typeof types.getTypeParser>
): ReturnType<typeof types.getTypeParser> {
  if (format !== "binary" && oid === types.builtins.INT8) return Number;
  if (format !== "binary" && oid === types.builtins.DATE) return String;
  return types.getTypeParser(oid, format);
}
