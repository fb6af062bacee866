import { expect, onTestFinished, test, vi } from 'vitest';
import { type Fleet, reasonNow, watchFleet } from './fleet.ts';

const fleet: Fleet = { tasks: new Map(), served: new Map([['report.send', new Set(['mail'])]]) };
const job = { task: 'report.send', queue: 'reports', state: 'queued' } as const;

test('a job that waits where nobody takes its task says so, and where the task is served', () => {
  const reason = reasonNow(fleet, job);
  expect(reason?.code).toBe('no_worker');
  expect(reason?.text).toContain('"report.send" on the queue "reports"; it is served on mail');
  const parked = { ...job, state: 'parked', reason: { code: 'no_worker', text: 'then' } } as const;
  expect(reasonNow(fleet, parked)).toEqual(reason);
});

test('what somebody takes, what has begun and what waits for another cause keep the reason that they have', () => {
  expect(reasonNow(fleet, { ...job, queue: 'mail' })).toBeUndefined();
  const doubt = { code: 'doubt', text: 'nobody could say' };
  expect(reasonNow(fleet, { ...job, state: 'parked', reason: doubt })).toBe(doubt);
  const dead = { code: 'attempts', text: 'used up' };
  expect(reasonNow(fleet, { ...job, state: 'dead', reason: dead })).toBe(dead);
});

test('the fleet is looked at anew a second later, also where the time of day is set back by an hour', async () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 4, 4), toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  let looks = 0;
  let ms = 0;
  const look = watchFleet({
    listTasks: async () => [],
    tasksServed: async () => new Map([[`look.${++looks}`, new Set(['mail'])]]),
    monotonic: () => ms,
  });
  const seen = async () => [...(await look()).served.keys()];
  expect(await seen()).toEqual(['look.1']);
  vi.setSystemTime(Date.UTC(2026, 4, 3, 23));
  ms = 999;
  expect(await seen()).toEqual(['look.1']);
  ms = 1_000;
  expect(await seen()).toEqual(['look.2']);
});
