import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OUTCOMES } from './outcome.ts';
import { backoffBound, DEFAULT_POLICY } from './policy.ts';
import { decide, type Ended } from './retry.ts';

const retry = { ...DEFAULT_POLICY.retry, attempts: 3, delay: 1_000, factor: 2, max: 60_000 };
const ended = (change: Partial<Ended>): Ended => ({
  outcome: 'failed',
  attempt: 1,
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

test('every outcome but "lost" is followed by something; a loss is judged by the recorder', () => {
  for (const outcome of OUTCOMES) {
    if (outcome !== 'lost') expect(decide(ended({ outcome }))).toHaveProperty('state');
  }
  expect(OUTCOMES).toContain('lost');
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
