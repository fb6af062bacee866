const TEXT =
  'a text such as a job may well carry with it, of about a hundred characters in all, to be checked';

/** The input of a no-op job: some 130 bytes of JSON. */
export function input(number: number): { number: number; text: string } {
  return { number, text: TEXT };
}
