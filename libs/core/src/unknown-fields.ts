import type { Issue } from './errors.ts';

/** Letters of an unknown name that are repeated. */
const MAX_SHOWN = 128;
/**
 * What other systems call it (Celery's `apply_async`, messages and states), in small letters without `_`: no slip of a letter, and yet what was
 * meant. Of several words the first is meant that is known.
 */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['eta', 'runAt when'],
  ['countdown', 'delay when'],
  ['args', 'input'],
  ['kwargs', 'input'],
  ['payload', 'input'],
  ['maxretries', 'retry attempts'],
  ['retrypolicy', 'retry'],
  ['autoretryfor', 'retryOn retry'],
  ['timelimit', 'timeout hard'],
  ['softtimelimit', 'timeout soft'],
  ['taskid', 'uniqueKey'],
  ['taskname', 'task'],
  ['routingkey', 'queue'],
  ['headers', 'meta'],
  ['link', 'onSuccess'],
  ['linkerror', 'onFailure'],
  ['cron', 'when'],
  ['crontab', 'when'],
  ['every', 'when'],
  ['interval', 'when'],
  ['schedule', 'when'],
  ['task', 'job'],
  ['revoke', 'cancel'],
  ['terminate', 'cancel'],
  ['pending', 'queued'],
  ['waiting', 'queued'],
  ['delayed', 'scheduled'],
  ['started', 'running'],
  ['active', 'running'],
  ['retry', 'retrying'],
  ['success', 'succeeded'],
  ['completed', 'succeeded'],
  ['done', 'succeeded'],
  ['failure', 'dead'],
  ['failed', 'dead'],
  ['revoked', 'cancelled'],
]);
/** What to do instead of what has no other name here. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['ignoreresult', 'leave it out: a handler that returns nothing leaves no result'],
  ['ratelimit', 'it is said of a task or a queue, whose jobs it is for'],
  ['revoke', 'what is asked for is ended by POST /api/v1/jobs/{id}/cancel'],
  ['terminate', 'leave it out: a cancel ends also what runs'],
  ['serializer', 'leave it out: all is JSON'],
]);

/** Names every field of `value` that is not allowed, with the nearest allowed one where it looks like a slip. */
export function unknownFields(value: object, allowed: readonly string[], pointer = ''): Issue[] {
  return Object.keys(value)
    .filter((key) => !allowed.includes(key))
    .map((key) => unknownField(key, allowed, pointer));
}

/** What is said of one field that is not allowed at `pointer`, where `allowed` are. */
export function unknownField(field: string, allowed: readonly string[], pointer: string): Issue {
  const suggestion = meantOf(field, allowed);
  const known =
    allowed.length > 0 ? `known ${allowed.length > 1 ? 'are' : 'is'} ${allowed.join(', ')}` : 'remove it';
  const instead = INSTEAD.get(plain(field));
  const hint = suggestion ? `, did you mean "${suggestion}"?` : instead ? `: ${instead}` : `; ${known}`;
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

/** The known word that somebody probably meant: what other systems call it, else the nearest, which a word of theirs must be the begin of. */
export function meantOf(word: string, known: readonly string[]): string | undefined {
  const elsewhere = ELSEWHERE.get(plain(word))?.split(' ');
  if (!elsewhere) return nearest(word, known);
  // A word of others is no slip: "eta" is not "meta", but "schedule" may be "schedules".
  const longer = known.filter((one) => plain(one).startsWith(plain(word)));
  return elsewhere.find((one) => known.includes(one)) ?? nearest(word, longer);
}

function plain(word: string): string {
  return word.length > MAX_SLIP ? '' : word.toLowerCase().replaceAll('_', '');
}

/** Letters beyond which a word is no slip, and no word is meant: the distance costs the product of both lengths. */
const MAX_SLIP = 64;

/** The known word nearest to `word`, where at most three letters of seven differ. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > MAX_SLIP) return undefined;
  const slip = [...word.toLowerCase()];
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    if (candidate.length > MAX_SLIP) continue;
    const allowed = Math.max(1, Math.floor((Math.max(word.length, candidate.length) * 3) / 7));
    const distance = editDistance(slip, [...candidate.toLowerCase()], Math.min(allowed, least - 1));
    if (distance === undefined) continue;
    best = candidate;
    least = distance;
  }
  return best;
}

/** Levenshtein distance, row by row; undefined where it is more than `most`: what is far off is left early. */
function editDistance(a: readonly string[], b: readonly string[], most: number): number | undefined {
  if (Math.abs(a.length - b.length) > most) return undefined;
  const row = b.map((_, index) => index + 1);
  let distance = b.length;
  for (const [index, letter] of a.entries()) {
    let diagonal = index;
    let least = index + 1;
    distance = index + 1;
    row.forEach((above, column) => {
      distance = Math.min(diagonal + (b[column] === letter ? 0 : 1), above + 1, distance + 1);
      diagonal = above;
      row[column] = distance;
      if (distance < least) least = distance;
    });
    // No later row holds less than the least of this one.
    if (least > most) return undefined;
  }
  return distance <= most ? distance : undefined;
}
