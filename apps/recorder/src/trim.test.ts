import { expect, test } from 'vitest';
import { createSequenceClock, type TrimState, trimUpTo } from './trim.ts';

const state: TrimState = {
  firstSeq: 101,
  lastSeq: 200,
  messages: 100,
  bytes: 1_000,
  maxBytes: 8_000,
  recordedUpTo: 200,
  tight: false,
};

test('nothing goes while it is young and small', () => {
  expect(trimUpTo(state, 0)).toBe(0);
  expect(trimUpTo(state, 100)).toBe(0);
  expect(trimUpTo({ ...state, messages: 0, bytes: 0 }, 500)).toBe(0);
});

test('what is old goes, or what is over a quarter of the room', () => {
  expect(trimUpTo(state, 150)).toBe(150);
  expect(trimUpTo({ ...state, maxBytes: 2_000 }, 0)).toBe(150);
  expect(trimUpTo({ ...state, maxBytes: 2_000 }, 170)).toBe(170);
});

test('everything that is recorded goes where jobs need the room', () => {
  expect(trimUpTo({ ...state, tight: true }, 0)).toBe(200);
  expect(trimUpTo({ ...state, tight: true, recordedUpTo: 120 }, 0)).toBe(120);
});

test('what is not recorded stays, however old and large', () => {
  expect(trimUpTo({ ...state, recordedUpTo: 120, maxBytes: 400 }, 190)).toBe(120);
  expect(trimUpTo({ ...state, recordedUpTo: 100, maxBytes: 400 }, 190)).toBe(0);
});

test('a time is turned into the newest sequence before it', () => {
  const clock = createSequenceClock({ everyMs: 10, keepMs: 100 });
  for (let at = 0; at <= 1_000; at += 5) clock.note(at * 2, at);
  expect(clock.seqAt(955)).toBe(1_900);
  // Older ones are forgotten; then nothing is known.
  expect(clock.seqAt(500)).toBe(0);
  clock.note(3, 1_010);
  expect(clock.seqAt(1_005)).toBe(0);
  expect(clock.seqAt(1_010)).toBe(3);
});
