import type { ScheduleRecord } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { resumption } from './resumption.ts';

const NOON = Date.UTC(2026, 0, 5, 12);
const MINUTE = 60_000;

function paused(when: ScheduleRecord['definition']['when'], cursor: number): ScheduleRecord {
  const definition = {
    ...{ name: 'x', when, timeZone: 'UTC', overlap: 'skip' as const, catchUp: 'latest' as const },
    job: { task: 't', input: null },
  };
  const times = { createdAt: NOON, updatedAt: NOON, cursor };
  return { id: 'x', name: 'x', definition, ...times, paused: { by: 'k', since: cursor } };
}

test('what fell into the pause is counted, and planning goes on after now', () => {
  expect(resumption(paused({ cron: '* * * * *' }, NOON), NOON + 5 * MINUTE + 1)).toEqual({
    nextAt: NOON + 6 * MINUTE,
    passed: { from: NOON + MINUTE, to: NOON + 5 * MINUTE, count: 5 },
  });
  expect(resumption(paused({ cron: '0 3 * * *' }, NOON), NOON + MINUTE)).toEqual({
    nextAt: NOON + 15 * 60 * MINUTE,
  });
});

test('a time that has passed for ever is counted too, and more than can be counted end with the pause', () => {
  const at = NOON + MINUTE;
  expect(resumption(paused({ at }, NOON), NOON + 2 * MINUTE)).toEqual({
    passed: { from: at, to: at, count: 1 },
  });
  const later = NOON + 200_000_000;
  expect(resumption(paused({ every: 1_000 }, NOON), later)).toMatchObject({
    passed: { from: NOON + 1_000, to: later, count: 100_000 },
  });
});
