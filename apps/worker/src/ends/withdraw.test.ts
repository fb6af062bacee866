import { orderOf, PHASES } from '@jetbeat/core';
import type { Delivery } from '@jetbeat/jetstream';
import { OnPurposeError } from '@jetbeat/task';
import { expect, test } from 'vitest';
import { newJob } from '../../../../test/support/recorder.ts';
import { Held } from '../held.ts';
import { HeldJobs } from '../held-jobs.ts';
import { instant } from './own-retries.ts';
import { createWithdraw } from './withdraw.ts';

/** One held job, and what was done to it. */
function create(phase: Held['phase']) {
  const jobs = new HeldJobs();
  const delivery = { seq: 1 } as Delivery;
  const held = new Held({ job: newJob(), delivery, since: instant(), suspect: false, traced: false });
  jobs.add(held);
  if (phase === 'running') jobs.begin(held);
  else held.phase = phase;
  const done: string[] = [];
  const withdraw = createWithdraw({
    jobs,
    ready: { drop: () => phase === 'waiting' },
    letGo: {
      discard: () => void done.push('discard'),
      finish: (_held, settled) => void done.push(`finish ${settled}`),
      track: () => void done.push('track'),
    },
    settle: { end: async (_held, state, { text }) => void done.push(`${state}: ${text}`) },
  });
  return { held, done, withdraw, jobs };
}

test('what runs is told to stop, and why; its outcome is the end of the job', () => {
  const { held, done, withdraw } = create('running');
  withdraw({ id: held.job.id, reason: 'enough' });
  const { aborted, reason } = held.interrupt;
  expect(aborted).toBe(true);
  expect(reason).toBeInstanceOf(OnPurposeError);
  expect(reason).toMatchObject({ purpose: 'cancel', message: 'enough' });
  expect([held.cancelled, done]).toEqual(['enough', []]);
});

test('what waits ends as cancelled, and counts as being settled meanwhile', async () => {
  const { held, done, withdraw, jobs } = create('waiting');
  withdraw({ id: held.job.id });
  expect([held.phase, jobs.running]).toEqual(['settling', 0]);
  await expect.poll(() => done).toEqual(['cancelled: cancelled before it began', 'track', 'finish true']);
});

test('what was moved is let go where it waits, unless it is the moved one itself', () => {
  const { held, done, withdraw } = create('waiting');
  const order = orderOf(held.job, PHASES.queued);
  withdraw({ id: held.job.id, below: order });
  expect(done).toEqual([]);
  withdraw({ id: held.job.id, below: order + 1 });
  expect(done).toEqual(['discard']);
  const running = create('running');
  running.withdraw({ id: running.held.job.id, below: order + 1 });
  expect([running.done, running.held.interrupt.aborted]).toEqual([[], false]);
});

test.each(['asking', 'settling'] as const)('%s: nothing is done at once', (phase) => {
  const { held, done, withdraw } = create(phase);
  withdraw({ id: held.job.id });
  withdraw({ id: newJob().id });
  expect([done, held.interrupt.aborted]).toEqual([[], false]);
});
