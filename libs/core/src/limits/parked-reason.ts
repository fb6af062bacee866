import { formatDuration } from '../duration.ts';
import type { JobEvent, ParkedFor } from '../jobs/event.ts';
import type { Reason } from '../jobs/outcome.ts';

/** Why a parked job waits, in the words of the API. */
export function parkedReason(event: Extract<JobEvent, { kind: 'parked' }>): Reason {
  const { task, queue } = event;
  switch (event.what) {
    case 'task': {
      const text = `a worker of the queue "${queue}" does not have the task "${task}"; the job starts when one does`;
      return { code: 'no_worker', text };
    }
    case 'doubt':
      return {
        code: 'doubt',
        text: 'nobody could say whether it has run; it goes on when the recorder has answered',
      };
    case 'key':
      return keyReason(event);
    case 'rate': {
      const { rate, limit, periodMs } = event;
      const text = `waits for the rate of ${rate}: ${limit} per ${formatDuration(periodMs)}`;
      return { code: 'rate', text, rate };
    }
  }
}

const KEY_TEXT =
  /^waits for key [\s\S]*(, behind older jobs|: \d+ of \d+ slots? (?:is|are) taken(?:, by jobs? [\da-f-]{36}(?:, [\da-f-]{36})*(?: and \d+ more)?)?)$/;
const RATE_TEXT = /^(waits for the rate of [^,:]*), key [\s\S]*?(: \d+ per \d+[a-z]+)?$/;

/**
 * The same without the key that the job waits for, which its task may have made of its input; a text that somebody has cut loses what
 * stands behind the key. The same object where it tells of no key.
 */
export function reasonWithoutKey<Told extends Pick<Reason, 'code' | 'text'>>(reason: Told): Told {
  const { code, text } = reason;
  if (code === 'key') return { ...reason, text: `waits for its key${KEY_TEXT.exec(text)?.[1] ?? ''}` };
  const [, whose, pace = ''] = (code === 'rate' && RATE_TEXT.exec(text)) || [];
  return whose === undefined ? reason : { ...reason, text: `${whose}${pace}` };
}

/** The key goes with it: by that the recorder finds what waits. */
function keyReason({ key, limit, taken, by = [] }: Extract<ParkedFor, { what: 'key' }>): Reason {
  const more = taken > by.length ? ` and ${taken - by.length} more` : '';
  const jobs = by.length === 0 ? '' : `, by job${taken === 1 ? '' : 's'} ${by.join(', ')}${more}`;
  const slots = `${taken} of ${limit} ${limit === 1 ? 'slot is' : 'slots are'} taken${jobs}`;
  const text = taken < limit ? `waits for key ${key}, behind older jobs` : `waits for key ${key}: ${slots}`;
  return { code: 'key', text, key };
}
