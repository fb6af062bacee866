import { cancelledReason, orderOf, PHASES } from '@jetbeat/core';
import type { Withdrawal } from '@jetbeat/jetstream';
import { Cancel } from '@jetbeat/task';
import type { Held } from '../held.ts';
import type { HeldJobs } from '../held-jobs.ts';
import type { Ready } from '../running/ready.ts';
import type { LetGo } from './let-go.ts';
import type { Settle } from './settle.ts';

/** What is said of a job that was cancelled without a reason. */
export const NOT_BEGUN = 'cancelled before it began';
const RUNNING = 'cancelled while it ran';

/**
 * Carries out at once what was heard of a job: what waits here ends as cancelled, or is let go where it was moved to another
 * time or lane; what runs is told to stop. A job that is being asked about is looked at when the answer comes, and one that is
 * being settled has ended.
 */
export function createWithdraw(params: {
  jobs: HeldJobs;
  ready: Pick<Ready, 'drop'>;
  letGo: Pick<LetGo, 'discard' | 'finish' | 'track'>;
  settle: Pick<Settle, 'end'>;
}): (withdrawal: Withdrawal) => void {
  const { jobs, ready, letGo, settle } = params;
  const end = async (held: Held, reason: string) => {
    jobs.begin(held);
    jobs.end(held);
    await settle.end(held, 'cancelled', cancelledReason(reason));
    letGo.finish(held, true);
  };
  return (withdrawal) => {
    const held = jobs.get(withdrawal.id);
    if (!held) return;
    const { phase, job } = held;
    if (withdrawal.below !== undefined) {
      const isVoid = orderOf(job, PHASES.queued) < withdrawal.below;
      if (phase === 'waiting' && isVoid && ready.drop(held)) letGo.discard(held);
    } else if (phase === 'running') {
      held.cancelled = withdrawal.reason ?? RUNNING;
      held.interrupt.abort(Cancel(held.cancelled));
    } else if (phase === 'waiting' && ready.drop(held)) {
      letGo.track(held, end(held, withdrawal.reason ?? NOT_BEGUN));
    }
  };
}
