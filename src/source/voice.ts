/** The lines of git's output a person wants to see: what the server says, and what went wrong. */
const WORTH_SHOWING = /^(remote: |warning: |error: |fatal: )/;

/**
 * Passes git's lines on to a person's log: without secrets, without terminal control (a server chooses these words), without git's own
 * notes about refs and hints.
 */
export function createVoice(
  onLine: (line: string) => void,
  redact: (text: string) => string,
): (line: string) => void {
  return (line) => {
    const text = withoutControl(redact(line)).trimEnd();
    if (WORTH_SHOWING.test(text)) onLine(text);
  };
}

/** Progress overwrites its line by carriage returns: only the last state is kept. */
function withoutControl(line: string): string {
  const last = line.slice(line.lastIndexOf("\r", line.length - 2) + 1);
  return last.replace(/\p{Cc}/gu, (char) => (char === "\t" ? " " : ""));
}
