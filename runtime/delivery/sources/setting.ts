/** The first of the variables that has a value; an empty one has none, as a Secret's key may be there and empty. */
export function setting(
  environment: Readonly<Record<string, string | undefined>>,
  ...names: readonly string[]
): string | undefined {
  for (const name of names) {
    const text = environment[name]?.trim() ?? '';
    if (text !== '') return text;
  }
  return undefined;
}
