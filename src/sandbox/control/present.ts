/** Without the keys that are undefined: where an absent key means a default, an undefined one would win over it. */
export function present<Given extends object>(
  given: Given,
): { [Key in keyof Given]?: Exclude<Given[Key], undefined> } {
  const kept: { [Key in keyof Given]?: Exclude<Given[Key], undefined> } = {};
  for (const [key, value] of Object.entries(given)) if (value !== undefined) Reflect.set(kept, key, value);
  return kept;
}
