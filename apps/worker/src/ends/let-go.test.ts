import type { Delivery } from '@jetbeat/jetstream';
import { expect, test } from 'vitest';
import { newJob } from '../../../../test/support/recorder.ts';
import { createRecent } from '../doubts/recent.ts';
import { Held } from '../held.ts';
import { HeldJobs } from '../held-jobs.ts';
import { createLetGo } from './let-go.ts';
import { instant } from './own-retries.ts';

function bench(change: { fails?: boolean } = {}) {
  const { fails = false } = change;
  const done: string[] = [];
  const jobs = new HeldJobs();
  const letGo = createLetGo({
    jobs,
    turnBack: async () => {
      done.push('told');
      if (fails) throw new Error('no room');
    },
    recent: createRecent({ keepMs: 1_000, now: Date.now }),
    keepAlive: { release: () => {} },
    stopped: new AbortController().signal,
    logOf: () => ({ error: () => done.push('logged') }) as never,
    admit: () => {},
    onRoom: () => done.push('room'),
    onSlot: () => {},
    onKeySlot: () => {},
  });
  const hold = (suspect: boolean) => {
    const delivery = { seq: 1, nak: () => void done.push('nak') } as unknown as Delivery;
    const held = new Held({ job: newJob(), delivery, since: instant(), suspect, traced: false });
    jobs.add(held);
    return held;
  };
  const grant = () => {
    const held = hold(true);
    held.granted = true;
    return held;
  };
  const refuse = async (held: Held) => {
    letGo.refuse(held);
    await new Promise(setImmediate);
    return done;
  };
  return { jobs, hold, grant, refuse };
}

test('of what was granted history is told before it is given back', async () => {
  const { jobs, grant, refuse } = bench();
  expect(await refuse(grant())).toEqual(['told', 'nak', 'room']);
  expect(jobs.size).toBe(0);
});

test.each([
  ['in doubt', true],
  ['in no doubt', false],
])('what was %s is given back without a word', async (_, suspect) => {
  const { jobs, hold, refuse } = bench();
  expect(await refuse(hold(suspect))).toEqual(['nak']);
  expect(jobs.size).toBe(0);
});

test('where it cannot be told, what was granted waits to be delivered again', async () => {
  const { jobs, grant, refuse } = bench({ fails: true });
  expect(await refuse(grant())).toEqual(['told', 'logged', 'room']);
  expect(jobs.size).toBe(0);
});
