/** Tells the story line by line: what happened and how long it took. */
export interface Teller {
  /** Does something and prints the line it returns. */
  step(name: string, work: () => Promise<string>): Promise<void>;
  /** The same for something that the story goes on with. */
  make<T>(name: string, work: () => Promise<{ readonly text: string; readonly value: T }>): Promise<T>;
  /** A line without a time. */
  readonly say: (text: string) => void;
}

export function createTeller(print: (line: string) => void, json: boolean): Teller {
  const make: Teller["make"] = async (name, work) => {
    const begun = performance.now();
    const { text, value } = await work();
    const ms = Math.round(performance.now() - begun);
    print(
      json ? JSON.stringify({ step: name, ms, text }) : `${(ms / 1000).toFixed(2).padStart(7)} s  ${text}`,
    );
    return value;
  };
  return {
    make,
    step: (name, work) => make(name, async () => ({ text: await work(), value: undefined })),
    say: (text) => print(json ? JSON.stringify({ text }) : text),
  };
}
