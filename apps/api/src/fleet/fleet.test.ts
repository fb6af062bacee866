import { expect, test } from 'vitest';
import { type Fleet, reasonNow } from './fleet.ts';

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
