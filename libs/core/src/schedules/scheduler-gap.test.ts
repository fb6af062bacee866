import { expect, test } from 'vitest';
import { awayAt, type SchedulerGap } from './scheduler-gap.ts';

const NOON = Date.parse('2026-03-01T12:00:00Z');
const SECOND = 1_000;
const gap: SchedulerGap = { from: NOON, to: NOON + 60 * SECOND, cause: 'away' };
const away = 'no scheduler from 2026-03-01T12:00:00.000Z to 2026-03-01T12:01:00.000Z';

test('a time within a gap says from when to when nobody was there', () => {
  expect(awayAt([gap], NOON + 30 * SECOND)).toBe(away);
  expect(awayAt([gap], gap.to)).toBe(away);
  expect(awayAt([gap], gap.to + 1)).toBeUndefined();
  expect(awayAt([], NOON)).toBeUndefined();
});

test('a time that came in the last second before a gap, which no pass may have come to, counts to it', () => {
  expect(awayAt([gap], NOON - 999)).toBe(away);
  expect(awayAt([gap], NOON - SECOND)).toBeUndefined();
});

test('schedulers that held back because storage was full say so', () => {
  expect(awayAt([{ ...gap, cause: 'held' }], NOON + SECOND)).toBe(
    'held back from 2026-03-01T12:00:00.000Z to 2026-03-01T12:01:00.000Z: storage is full',
  );
});

test('of several gaps it is the one that the time falls into; of two that meet, the newest', () => {
  const later: SchedulerGap = { from: gap.to, to: gap.to + 60 * SECOND, cause: 'held' };
  const gaps = [later, gap];
  expect(awayAt(gaps, NOON + SECOND)).toBe(away);
  expect(awayAt(gaps, gap.to)).toMatch(/^held back from 2026-03-01T12:01:00.000Z /);
  expect(awayAt(gaps, later.to + 1)).toBeUndefined();
});
