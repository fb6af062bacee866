/** Whether a path, relative and with `/` between names, is meant. */
export type PathMatch = (path: string) => boolean;

/**
 * Prepares patterns: `*` is any part of one name, `?` one character of it, `**` any folders; everything else is itself. As in
 * a shell a name that begins with a dot is matched only by a pattern that says the dot. It takes no more than
 * (pattern × path) steps, whatever the pattern: a regular expression could be made to take for ever.
 */
export function globs(patterns: readonly string[]): PathMatch {
  const split = patterns.map((pattern) => pattern.split('/'));
  return (path) => {
    const names = path.split('/');
    return split.some((parts) => matchParts(parts, names));
  };
}

function matchParts(parts: readonly string[], names: readonly string[]): boolean {
  return matchSequence({
    pattern: parts,
    text: names,
    isStar: (part) => part === '**',
    starTakes: (name) => !name.startsWith('.'),
    fits: matchName,
  });
}

function matchName(pattern: string, name: string): boolean {
  if (name.startsWith('.') && !pattern.startsWith('.')) return false;
  return matchSequence({
    pattern: [...pattern],
    text: [...name],
    isStar: (character) => character === '*',
    starTakes: () => true,
    fits: (wanted, character) => wanted === '?' || wanted === character,
  });
}

/** Only the last star is gone back to: what an earlier one could take besides, the last can take as well. */
function matchSequence(params: {
  readonly pattern: readonly string[];
  readonly text: readonly string[];
  readonly isStar: (part: string) => boolean;
  readonly starTakes: (item: string) => boolean;
  readonly fits: (part: string, item: string) => boolean;
}): boolean {
  const { pattern, text, isStar, starTakes, fits } = params;
  let at = 0;
  let star = -1;
  let taken = 0;
  let i = 0;
  while (i < text.length) {
    const part = pattern[at];
    const item = text[i] ?? '';
    if (part !== undefined && isStar(part)) {
      star = at++;
      taken = i;
    } else if (part !== undefined && fits(part, item)) {
      at++;
      i++;
    } else if (star >= 0 && starTakes(text[taken] ?? '')) {
      at = star + 1;
      i = ++taken;
    } else return false;
  }
  return pattern.slice(at).every(isStar);
}
