import type { Delivery } from '@jetbeat/jetstream';
import { expect, test } from 'vitest';
import { newJob } from '../../../../test/support/recorder.ts';
import { createRecent } from '../doubts/recent.ts';
import { Held, HeldJobs } from '../held.ts';
import { createLetGo } from './let-go.ts';
import { instant } from './own-retries.ts';

function bench(change: { isConnected?: boolean; fails?: boolean } = {}) {
  const { isConnected = true, fails = false } = change;
  const done: string[] = [];
  const jobs = new HeldJobs();
  const letGo = createLetGo({
    jobs,
    turnBack: async () => {
      done.push('told');
      if (fails) throw new Error('no room');
    },
    isConnected: () => isConnected,
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
  const refuse = async (held: Held) => {
    letGo.refuse(held);
    await new Promise(setImmediate);
    return done;
  };
  return { jobs, hold, refuse };
}

test('of what was in no doubt here history is told before it is given back', async () => {
  const { jobs, hold, refuse } = bench();
  expect(await refuse(hold(false))).toEqual(['told', 'nak', 'room']);
  expect(jobs.size).toBe(0);
});

test('what is in doubt, or while NATS is away, is given back without a word', async () => {
  const inDoubt = bench();
  expect(await inDoubt.refuse(inDoubt.hold(true))).toEqual(['nak']);
  const away = bench({ isConnected: false });
  expect(await away.refuse(away.hold(false))).toEqual(['nak']);
});

test('where it cannot be told, what was granted waits to be delivered again, and the rest is given back', async () => {
  const { hold, refuse, jobs } = bench({ fails: true });
  expect(await refuse(hold(false))).toEqual(['told', 'nak']);
  const granted = bench({ fails: true });
  const held = granted.hold(true);
  held.granted = true;
  expect(await granted.refuse(held)).toEqual(['told', 'logged', 'room']);
  expect([jobs.size, granted.jobs.size]).toEqual([0, 0]);
});
