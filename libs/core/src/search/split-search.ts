/** A value of a search: its parts between the `*`. */
export interface SearchValue {
  readonly parts: readonly [...string[], string];
}

/** One term of a search, not yet understood. */
export type SearchToken = {
  /** As it was written. */
  readonly raw: string;
} & (
  | {
      /** What stands before the colon, parted at its dots. */
      readonly head: readonly [string, ...string[]];
      readonly values: readonly SearchValue[];
    }
  | { readonly head?: undefined; readonly word: SearchValue }
);

const SPACE = /\s/;
/** What ends a piece of text outside of quotes. */
const OF_HEAD = new Set(['.', ':']);
const OF_VALUE = new Set([',']);
const OF_WORD: ReadonlySet<string> = new Set();

/**
 * Splits a search into its terms at spaces, their qualifiers at dots and their values at commas; what stands in double quotes is
 * one text, in which a backslash takes the next character as it is.
 * @param wrong told of a quote that is not closed, and of a value that is missing
 */
export function splitSearch(text: string, wrong: (message: string) => void): SearchToken[] {
  const tokens: SearchToken[] = [];
  let at = 0;
  const char = () => text.charAt(at);
  const atEnd = () => at >= text.length || SPACE.test(char());

  /** One piece up to an end character or a space. `whole`: it had quotes, so that it may be empty. */
  const piece = (ends: ReadonlySet<string>): SearchValue & { readonly whole: boolean } => {
    const parts: string[] = [];
    let part = '';
    let whole = false;
    while (!atEnd() && !ends.has(char())) {
      if (char() === '"') {
        whole = true;
        part += quoted();
      } else if (char() === '*' && ends !== OF_HEAD) {
        parts.push(part);
        part = '';
        at++;
      } else {
        part += char();
        at++;
      }
    }
    return { parts: [...parts, part], whole };
  };
  const quoted = (): string => {
    let found = '';
    for (at++; at < text.length && char() !== '"'; at++) {
      if (char() === '\\') at++;
      found += char();
    }
    if (at >= text.length) wrong('a double quote is not closed');
    at++;
    return found;
  };
  const values = (name: string): SearchValue[] => {
    const found: SearchValue[] = [];
    do {
      at++;
      const { parts, whole } = piece(OF_VALUE);
      if (!whole && parts.length === 1 && parts[0] === '')
        wrong(`a value is missing behind "${name}:"; for an empty text write ""`);
      found.push({ parts });
    } while (char() === ',' && !atEnd());
    return found;
  };

  while (at < text.length) {
    if (atEnd()) {
      at++;
      continue;
    }
    const begin = at;
    const head: [string, ...string[]] = [piece(OF_HEAD).parts.join('')];
    while (char() === '.') {
      at++;
      head.push(piece(OF_HEAD).parts.join(''));
    }
    // A text in quotes is a word, whatever stands in it.
    if (char() === ':' && !atEnd()) {
      const found = values(head.join('.').slice(0, 64));
      tokens.push({ raw: text.slice(begin, at), head, values: found });
    } else {
      at = begin;
      const { parts } = piece(OF_WORD);
      tokens.push({ raw: text.slice(begin, at), word: { parts } });
    }
  }
  return tokens;
}
