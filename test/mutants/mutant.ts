/** One deliberate break of a core rule. */
export interface Mutant {
  readonly name: string;
  /** Which rule it breaks. */
  readonly breaks: string;
  /** The file, from the root of the repository. */
  readonly file: string;
  /** What stands there, exactly once, and what is put in its place. */
  readonly search: string;
  readonly replace: string;
  /** The test files that are to find it. */
  readonly tests: readonly string[];
  /** Of these only the tests whose name has this in it. */
  readonly only?: string;
}

/**
 * Breaks a file's text.
 * @throws an error when what is searched does not stand there exactly once: then the mutant has to follow the code
 */
export function applyMutant({ name, file, search, replace }: Mutant, text: string): string {
  const places = text.split(search).length - 1;
  if (places !== 1)
    throw new Error(
      `mutant ${name}: its search text stands ${places} times in ${file}; let it follow the code`,
    );
  if (search === replace) throw new Error(`mutant ${name} changes nothing`);
  return text.replace(search, () => replace);
}
