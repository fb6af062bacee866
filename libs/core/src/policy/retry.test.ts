import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OUTCOMES } from '../jobs/outcome.ts';
import { backoffBound, DEFAULT_POLICY } from './policy.ts';
import { decide, type Ended, type Next, whenCancelled } from './retry.ts';

const retry = { ...DEFAULT_POLICY.retry, attempts: 3, delay: 1_000, factor: 2, max: 60_000 };
const ended = (change: Partial<Ended>): Ended => ({
  outcome: 'failed',
  attempt: 1,
  run: 1,
  retry,
  now: 5_000,
  random: 0.5,
  ...change,
});

test.each(['succeeded', 'cancelled'] as const)('%s ends the job', (outcome) => {
  expect(decide(ended({ outcome }))).toEqual({ state: outcome });
});

test('a rejected job is dead at once, with what the handler said', () => {
  const error = { name: 'Reject', message: 'no such address' };
  expect(decide(ended({ outcome: 'rejected', error }))).toEqual({
    state: 'dead',
    reason: { code: 'rejected', text: 'no such address' },
  });
  expect(decide(ended({ outcome: 'rejected' }))).toMatchObject({
    reason: { text: 'the handler rejected the job' },
  });
});

test('a snooze makes a new run of the same attempt', () => {
  expect(decide(ended({ outcome: 'snoozed', delay: 700 }))).toEqual({
    state: 'retrying',
    attempt: 1,
    runAt: 5_700,
  });
  expect(decide(ended({ outcome: 'snoozed' }))).toEqual({ state: 'retrying', attempt: 1, runAt: 5_000 });
});

test.each(['failed', 'timed-out'] as const)('%s is tried again until the attempts are used up', (outcome) => {
  expect(decide(ended({ outcome }))).toEqual({ state: 'retrying', attempt: 2, runAt: 5_500 });
  expect(decide(ended({ outcome, attempt: 2, delay: 42 }))).toEqual({
    state: 'retrying',
    attempt: 3,
    runAt: 5_042,
  });
  expect(decide(ended({ outcome, attempt: 3 }))).toEqual({
    state: 'dead',
    reason: { code: 'attempts_used_up', text: `attempt 3 of 3 ${outcome}` },
  });
  const error = { name: 'TypeError', message: 'x'.repeat(5_000) };
  const dead = decide(ended({ outcome, attempt: 3, error }));
  expect(dead).toMatchObject({ reason: { text: expect.stringContaining(`${outcome}: TypeError: xxx`) } });
  expect(dead.state === 'dead' && dead.reason.text.length).toBe(1_024);
});

test('every outcome is followed by something', () => {
  for (const outcome of OUTCOMES) expect(decide(ended({ outcome }))).toHaveProperty('state');
});

test('a loss uses up no attempt, and more than five are too many', () => {
  expect(decide(ended({ outcome: 'lost', attempt: 3 }))).toEqual({
    state: 'retrying',
    attempt: 3,
    runAt: 6_000,
    losses: 1,
  });
  expect(decide(ended({ outcome: 'lost', losses: 4 }))).toMatchObject({ state: 'retrying', losses: 5 });
  expect(decide(ended({ outcome: 'lost', expiresAt: 5_500 }))).toMatchObject({ state: 'expired' });
  const reason = { code: 'lost_too_often', text: 'what ran it vanished 6 times' };
  expect(decide(ended({ outcome: 'lost', losses: 5 }))).toEqual({ state: 'dead', reason });
  const error = { name: 'ChildLostError', message: 'its process was killed by SIGSEGV' };
  expect(decide(ended({ outcome: 'lost', losses: 5, error }))).toMatchObject({
    reason: {
      text: 'what ran it vanished 6 times, the last time: its process was killed by SIGSEGV',
    },
  });
});

test('a delay is drawn between nothing and its bound, and is the bound without jitter', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, random) => {
        const many = { ...retry, attempts: 100 };
        const bound = backoffBound(many, attempt);
        const next = decide(ended({ attempt, random, retry: many }));
        const delay = next.state === 'retrying' ? next.runAt - 5_000 : -1;
        expect(delay).toBe(Math.round(bound * random));
        const plain = decide(ended({ attempt, random, retry: { ...many, jitter: false } }));
        expect(plain).toEqual({ state: 'retrying', attempt: attempt + 1, runAt: 5_000 + bound });
      },
    ),
  );
});

test('a job that was cancelled while it ran is not run again, and what it came to before stands', () => {
  const dead: Next = { state: 'dead', reason: { code: 'rejected', text: 'no such customer' } };
  expect(whenCancelled(dead, 'no longer needed')).toBe(dead);
  expect(whenCancelled({ state: 'succeeded' }, 'no longer needed')).toEqual({ state: 'succeeded' });
  expect(whenCancelled({ state: 'retrying', attempt: 2, runAt: 6_000 }, 'no longer needed')).toEqual({
    state: 'cancelled',
    reason: { code: 'cancelled', text: 'no longer needed' },
  });
});
