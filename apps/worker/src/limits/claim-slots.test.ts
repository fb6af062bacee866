import { expect, test } from 'vitest';
import type { Held } from '../held.ts';
import type { Claim } from './claim.ts';
import { createClaimSlots } from './claim-slots.ts';

const held = {
  job: { queue: 'mail', policy: { concurrency: { key: 'host', limit: 1 } } },
} as unknown as Held;

/**
 * A claim of a job, and what was asked for, in order.
 * @param params.full what is seen of its key, each time that it is looked; `keys` what it is told by its key; `lacking` how often it finds
 * afterwards that it has nothing of its queue; `lost`: its key is gone when it has got its queue
 */
function claimWith(params: {
  full?: boolean;
  paces?: boolean;
  keys?: readonly Claim[];
  queue?: boolean;
  lacking?: number;
  lost?: boolean;
}) {
  const { full = false, paces = true, keys = [{ kind: 'taken', proven: true }], queue = true } = params;
  const asked: string[] = [];
  let { lacking = 0, lost = false } = params;
  let has = false;
  let told = 0;
  const claim = createClaimSlots({
    queueSlots: {
      limits: () => true,
      paces: () => paces,
      async claim() {
        asked.push('queue');
        if (has && lost) [has, lost] = [false, false];
        return queue;
      },
      mustClaim: () => lacking-- > 0,
    },
    keySlots: {
      has: () => has,
      seesFull: async () => full,
      async claim() {
        asked.push('key');
        const answer = keys[told++] ?? { kind: 'taken', proven: false };
        has = answer.kind === 'taken';
        return answer;
      },
    },
  })(held);
  return claim.then((answer) => ({ answer, asked }));
}

test('where its key is seen to be busy, nothing of a queue with a rate is asked for', async () => {
  const busy: Claim = { kind: 'full', taken: 1 };
  expect(await claimWith({ full: true, keys: [busy] })).toEqual({ answer: busy, asked: ['key'] });
  expect(await claimWith({ keys: [busy] })).toEqual({ answer: busy, asked: ['queue', 'key'] });
  expect(await claimWith({ full: true, paces: false, keys: [busy] })).toEqual({
    answer: busy,
    asked: ['queue', 'key'],
  });
});

test('what its queue has given is asked for anew when the key has taken long; the key is not, and still proves what it proved', async () => {
  const answer: Claim = { kind: 'taken', proven: true };
  expect(await claimWith({ lacking: 1 })).toEqual({ answer, asked: ['queue', 'key', 'queue'] });
  expect(await claimWith({ full: true })).toEqual({ answer, asked: ['key', 'queue'] });
});

test('a key that is lost with its lease meanwhile is asked for again, and proves nothing', async () => {
  const answer: Claim = { kind: 'taken', proven: false };
  expect(await claimWith({ lacking: 1, lost: true })).toEqual({
    answer,
    asked: ['queue', 'key', 'queue', 'key'],
  });
});

test('what its queue does not give is left to others, whether or not it has its key', async () => {
  expect(await claimWith({ queue: false })).toEqual({ answer: { kind: 'closed' }, asked: ['queue'] });
  expect(await claimWith({ queue: false, full: true })).toEqual({
    answer: { kind: 'closed' },
    asked: ['key', 'queue'],
  });
});
