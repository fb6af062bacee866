import type { Park } from '../ends/park.ts';
import type { Held } from '../held.ts';
import type { LimitClaim, Limits } from './limits.ts';

/** What a job gets that has to wait. */
type Waits = Extract<LimitClaim, { kind: 'late' | 'full' }>;

/** Parks jobs that their limits do not let begin; then it is looked whether they may meanwhile. */
export function createParkLimited(params: {
  readonly park: Park;
  readonly limits: Pick<Limits, 'parked' | 'parkedLate'>;
  /** It begins to be parked. */
  readonly onPark: (held: Held) => void;
  readonly onDone: (held: Held, settled: boolean) => void;
}): (held: Held, claim: Waits) => Promise<void> {
  const { park, limits, onPark, onDone } = params;
  return async (held, claim) => {
    onPark(held);
    if (claim.kind === 'late') {
      const { name: rate, hash, limit, periodMs } = claim.rate;
      await park(held, { what: 'rate', rate, hash, limit, periodMs });
      onDone(held, true);
      limits.parkedLate(claim.rate);
      return;
    }
    const concurrency = held.job.policy?.concurrency;
    if (!concurrency) throw new Error(`job ${held.job.id} has no concurrency key to wait for`);
    const { key, limit } = concurrency;
    const { taken, by = [] } = claim;
    await park(held, { what: 'key', key, limit, taken, by });
    limits.parked(concurrency);
    onDone(held, true);
  };
}
