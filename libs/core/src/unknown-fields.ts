import type { Issue } from './errors.ts';

/** Letters of an unknown name that are repeated. */
const MAX_SHOWN = 128;
/** What other systems call it (Celery's `apply_async` and messages): no slip of a letter, and yet what was meant. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['eta', 'runAt'],
  ['countdown', 'delay'],
  ['args', 'input'],
  ['kwargs', 'input'],
  ['payload', 'input'],
  ['max_retries', 'retry'],
  ['time_limit', 'timeout'],
  ['soft_time_limit', 'timeout'],
  ['task_id', 'uniqueKey'],
  ['headers', 'meta'],
  ['link', 'onSuccess'],
  ['link_error', 'onFailure'],
]);

/** Names every field of `value` that is not allowed, with the nearest allowed one where it looks like a slip. */
export function unknownFields(value: object, allowed: readonly string[], pointer = ''): Issue[] {
  return Object.keys(value)
    .filter((key) => !allowed.includes(key))
    .map((key) => unknownField(key, allowed, pointer));
}

/** What is said of one field that is not allowed at `pointer`, where `allowed` are. */
export function unknownField(field: string, allowed: readonly string[], pointer: string): Issue {
  const elsewhere = ELSEWHERE.get(field);
  const suggestion = elsewhere && allowed.includes(elsewhere) ? elsewhere : nearest(field, allowed);
  const known =
    allowed.length > 0 ? `known ${allowed.length > 1 ? 'are' : 'is'} ${allowed.join(', ')}` : 'remove it';
  const hint = suggestion ? `, did you mean "${suggestion}"?` : `; ${known}`;
  // A stranger's name may be as long as the request.
  const name = field.slice(0, MAX_SHOWN);
  return {
    pointer: `${pointer}/${escapePointer(name)}`,
    code: 'unknown_field',
    message: `"${name}" is not known here${hint}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

/** One step of a JSON pointer (RFC 6901 §3). */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The known word nearest to `word`, where at most three letters of seven differ. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  // A word of hostile length is no slip, and the distance costs the product of both lengths.
  if (word.length > 64) return undefined;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (
      distance < least &&
      distance <= Math.max(1, Math.floor((Math.max(word.length, candidate.length) * 3) / 7))
    ) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein distance, row by row. */
function editDistance(a: string, b: string): number {
  const letters = [...b];
  let row = letters.map((_, index) => index + 1);
  let distance = letters.length;
  for (const [index, letter] of [...a].entries()) {
    let diagonal = index;
    distance = index + 1;
    row = row.map((above, column) => {
      distance = Math.min(diagonal + (letters[column] === letter ? 0 : 1), above + 1, distance + 1);
      diagonal = above;
      return distance;
    });
  }
  return distance;
}
