import { escapePointer, type Issue } from '@jetbeat/core';

/** An integer of so many digits may be one that a double cannot hold: 2^53 has 16. */
const SUSPICIOUS = /\d{16}/;
const LONG_INTEGER = /^-?\d{16,}$/;
const NUMBER = /[-+.eE\d]*/y;
const SPACE = /\s*/y;
/** Findings after which the search ends. */
const MAX_ISSUES = 8;
const MESSAGE = 'an integer of this size would be rounded (above 2^53): send it as a string';

/**
 * Finds integers that reading JSON in JavaScript changes: 9007199254740993 becomes 9007199254740992, which nobody would ever
 * notice of an account number. Fractions are not looked at: whoever sends one expects a double.
 * @param text valid JSON
 */
export function findRounded(text: string): Issue[] {
  // Nearly every body ends here.
  return SUSPICIOUS.test(text) ? search(text) : [];
}

/** Where the search is: the source of a key, or the index in a list, for every level. */
type Path = (string | number)[];

function search(text: string): Issue[] {
  const issues: Issue[] = [];
  const path: Path = [];
  for (let at = 0; at < text.length && issues.length < MAX_ISSUES; ) {
    const char = text.charAt(at);
    let end = at + 1;
    if (char === '"') {
      end = endOfString(text, at);
      if (text.charAt(endOf(SPACE, text, end)) === ':') path[path.length - 1] = text.slice(at, end);
    } else if (char === '-' || (char >= '0' && char <= '9')) {
      end = endOf(NUMBER, text, at);
      if (isRounded(text.slice(at, end)))
        issues.push({ pointer: pointerOf(path), code: 'invalid_number', message: MESSAGE });
    } else {
      step(path, char);
    }
    at = end;
  }
  return issues;
}

function step(path: Path, char: string): void {
  const top = path.at(-1);
  if (char === '{') path.push('');
  else if (char === '[') path.push(0);
  else if (char === '}' || char === ']') path.pop();
  else if (char === ',' && typeof top === 'number') path[path.length - 1] = top + 1;
}

function isRounded(source: string): boolean {
  if (!LONG_INTEGER.test(source)) return false;
  const value = Number(source);
  // What is infinite is refused elsewhere.
  return Number.isFinite(value) && BigInt(value) !== BigInt(source);
}

function endOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  pattern.test(text);
  return pattern.lastIndex;
}

function endOfString(text: string, from: number): number {
  for (let quote = text.indexOf('"', from + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text.charAt(quote - 1 - slashes) === '\\') slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
  return text.length;
}

function pointerOf(path: Path): string {
  const token = (step: string | number) =>
    typeof step === 'string' ? String(JSON.parse(step)) : String(step);
  return path.map((step) => `/${escapePointer(token(step))}`).join('');
}
