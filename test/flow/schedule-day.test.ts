import { expect, test } from 'vitest';
import { scheduleDay } from '../support/schedule-day.ts';

test('through the night of a clock change, five schedulers killed in turn give every time the outcome that an oracle gives it', async () => {
  const { times, kills, points, outcomes } = await scheduleDay({ schedules: 48, hours: 3, killEvery: 8 });
  expect(kills).toBeGreaterThan(5);
  expect(Object.keys(points).sort()).toEqual(['commit', 'job', 'occurrence', 'schedule']);
  expect(times).toBeGreaterThan(300);
  for (const outcome of ['dispatched', 'overlap', 'paused', 'missed'])
    expect([outcome, outcomes[outcome] ?? 0]).not.toEqual([outcome, 0]);
}, 60_000);
