import { concurrencyHash, type JobEnvelope } from '@jetbeat/core';
import type { Held } from '../held.ts';
import type { Claim } from './claim.ts';
import type { KeyLines } from './key-lines.ts';
import type { Key } from './keys.ts';

/** Who asks for a slot of a key; `first`: before others that wait. */
export interface Asking {
  readonly held: Held;
  readonly limit: number;
  readonly first?: boolean;
}

/** Gives free slots to the jobs that wait in the line of a key. Each is called in the turn of the key. */
export interface ServeLine {
  /** Who waits has a free slot with one change; false when nobody does. */
  serveLine(key: Key): Promise<boolean>;
  /** None waits any longer: each is answered, in turn, with a slot if one is free. */
  leaveLine(key: Key): Promise<void>;
}

/** Composes it. A job that has come to its turn gets a slot by what holds for it now: its key or limit may be another one than when it began to wait. */
export function createServeLine(params: {
  readonly lines: Pick<KeyLines<Claim>, 'first' | 'next'>;
  readonly keyed: (job: JobEnvelope) => JobEnvelope;
  readonly take: (key: Key, asking: Asking) => Promise<Claim>;
}): ServeLine {
  const { lines, keyed, take } = params;
  const isOutdated = (key: Key, { held, limit }: Asking): boolean => {
    const now = keyed(held.job).policy?.concurrency;
    return now === undefined || now.limit !== limit || concurrencyHash(now.key) !== key.hash;
  };
  /** What is answered so asks anew, or is parked. */
  const full = (key: Key): Claim => ({ kind: 'full', taken: key.held.size });
  return {
    async serveLine(key) {
      let served = false;
      for (;;) {
        const first = lines.first(key.hash);
        if (!first) return served;
        if (isOutdated(key, first)) {
          lines.next(key.hash, full(key));
          continue;
        }
        if (key.held.size >= first.limit) return served;
        const claim = await take(key, { ...first, first: true });
        lines.next(key.hash, claim);
        served = true;
        if (claim.kind !== 'taken') return served;
      }
    },
    async leaveLine(key) {
      for (let one = lines.first(key.hash); one; one = lines.first(key.hash)) {
        const claim = isOutdated(key, one) ? full(key) : await take(key, { ...one, first: true });
        lines.next(key.hash, claim);
      }
    },
  };
}
