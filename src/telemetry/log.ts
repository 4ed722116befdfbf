import { pino } from "pino";
import { prettyLine } from "./pretty-line.ts";
import { scrub } from "./scrub.ts";

/** What everybody logs with. `fields` are facts for machines, `message` is one plain sentence without them. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds `fields` to each line. */
  child(fields: object): Logger;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  on?(event: "error", listener: () => void): unknown;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Takes every known secret out of a text. Called for each string that is logged, and once more for the whole line. */
  readonly redact: (text: string) => string;
  /** Default: standard error. JSON lines, or plain ones for people when it is a terminal. */
  readonly stream?: LogStream;
}

/**
 * Secrets are taken out three times: fields whose name says they are secret, known values in each string before it is escaped,
 * and known values in the finished line, whatever way they came into it.
 */
export function createLogger(options: LoggerOptions): Logger {
  const stream: LogStream = options.stream ?? process.stderr;
  // A full disk or a reader that went away costs lines; unheard, the error would end the process.
  stream.on?.("error", () => {});
  const sink = {
    write: (line: string): void => {
      stream.write(options.redact(stream.isTTY ? prettyLine(line) : line));
    },
  };
  const root = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // pino would take what is left of a scrubbed error apart once more.
      serializers: { err: (error: unknown) => error },
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
  return wrap(root, options.redact);
}

/** pino's formatters see neither the message nor the fields of a child: both are cleaned before pino sees them. */
function wrap(target: pino.Logger, redact: (text: string) => string): Logger {
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (fields: object, message: string): void => {
      if (target.isLevelEnabled(level)) target[level](scrub(fields, redact), redact(message));
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => wrap(target.child(scrub(fields, redact)), redact),
  };
}

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
