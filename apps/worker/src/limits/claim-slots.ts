import type { Concurrency } from '@jetbeat/core';
import type { Held } from '../held.ts';
import type { Claim } from './claim.ts';
import type { KeySlots } from './key-slots.ts';
import type { QueueSlots } from './queue-slots.ts';

/**
 * Takes the slots of a job's queue and key, and a start of its queue's rate. Whoever waits for its key holds nothing of its queue. Whoever
 * waits for its queue holds no key, or one that it got by waiting, and that for a moment. So no two jobs wait for each other, and nothing is
 * kept from jobs that could use it. The start is used within a moment of the time that it is due, since nothing is waited for with it but
 * the start of a task's rate; who has to wait for a handler all the same claims anew (`QueueSlots.isLate`).
 */
export function createClaimSlots(params: {
  readonly queueSlots: Pick<QueueSlots, 'limits' | 'paces' | 'claim' | 'mustClaim'>;
  readonly keySlots: Pick<KeySlots, 'has' | 'seesFull' | 'claim'>;
}): (held: Held) => Promise<Claim> {
  const { queueSlots, keySlots } = params;
  const claimQueue = async (held: Held) =>
    !queueSlots.limits(held.job.queue) || (await queueSlots.claim(held));
  /** No start is waited for by a job that could not use it. */
  const wantsKeyFirst = async (held: Held, key: Concurrency) =>
    queueSlots.paces(held.job.queue) && !keySlots.has(held) && (await keySlots.seesFull(held, key));

  const claimBoth = async (held: Held, key: Concurrency): Promise<Claim> => {
    let claim: Claim = { kind: 'taken', proven: false };
    const claimKey = async () => {
      if (!keySlots.has(held)) claim = await keySlots.claim(held, key);
      return claim.kind === 'taken';
    };
    for (;;) {
      if ((await wantsKeyFirst(held, key)) && !(await claimKey())) return claim;
      if (!(await claimQueue(held))) return { kind: 'closed' };
      if (!(await claimKey())) return claim;
      // What it had of its queue has gone while it waited for its key, or its lease has.
      if (keySlots.has(held) && !queueSlots.mustClaim(held)) return claim;
    }
  };
  return async (held) => {
    const key = held.job.policy?.concurrency;
    if (key) return claimBoth(held, key);
    return (await claimQueue(held)) ? { kind: 'taken', proven: false } : { kind: 'closed' };
  };
}
