import { expect, test } from 'vitest';
import { scheduleDay } from '../support/schedule-day.ts';

test('a day of 500 mixed schedules, five schedulers killed in turn: every time once, with the right outcome', async () => {
  const { times, kills, points } = await scheduleDay({ schedules: 500, hours: 24, killEvery: 20 });
  expect(kills).toBeGreaterThan(20);
  expect(Object.keys(points).sort()).toEqual(['commit', 'job', 'occurrence', 'schedule']);
  expect(times).toBeGreaterThan(20_000);
}, 900_000);
