import { expect, test } from 'vitest';
import { type Delivered, isFresh, isSuspect } from './suspect.ts';

const plain: Delivered = {
  deliveryCount: 1,
  attempt: 1,
  run: 1,
  parks: 0,
  own: false,
  repeat: false,
  seq: 10,
  settledUpTo: 9,
  fromTimer: false,
  restartedFor: 0,
  ackWait: 30_000,
};

test('a first delivery of a first attempt is trusted', () => {
  expect(isSuspect(plain)).toBe(false);
  expect(isSuspect({ ...plain, fromTimer: true, restartedFor: 60_000 })).toBe(false);
});

test('a later step that the worker has published itself is trusted like a first one, and no further', () => {
  const own = { ...plain, attempt: 2, run: 3, own: true };
  expect(isSuspect(own)).toBe(false);
  for (const change of [{ deliveryCount: 2 }, { parks: 1 }, { repeat: true }, { settledUpTo: 10 }])
    expect(isSuspect({ ...own, ...change })).toBe(true);
});

test.each<[string, Partial<Delivered>]>([
  ['redelivered', { deliveryCount: 2 }],
  ['a later attempt', { attempt: 2 }],
  ['a later run', { run: 2 }],
  ['parked before', { parks: 1 }],
  ['published again', { repeat: true }],
  ['at the highest settled sequence', { settledUpTo: 10 }],
  ['from a timer soon after a server came back', { fromTimer: true, restartedFor: 59_999 }],
])('%s is suspect', (_what, change) => {
  expect(isSuspect({ ...plain, ...change })).toBe(true);
});

test('a later step can have been begun unasked only by the worker that has published it', () => {
  const later = { ...plain, attempt: 2 };
  const again = { ...later, deliveryCount: 2 };
  expect([plain, later, { ...later, attempt: 1, run: 2 }, again].map(isFresh)).toEqual([
    false,
    true,
    true,
    false,
  ]);
  for (const change of [{ parks: 1 }, { repeat: true }, { settledUpTo: 10 }])
    expect(isFresh({ ...later, ...change })).toBe(false);
  // With a delay nobody trusts his own.
  for (const change of [{}, { repeat: true }, { settledUpTo: 10 }])
    expect(isFresh({ ...again, fromTimer: true, ...change })).toBe(true);
  expect(isFresh({ ...again, fromTimer: true, parks: 1 })).toBe(false);
  expect(isFresh({ ...plain, fromTimer: true })).toBe(false);
});
