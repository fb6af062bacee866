import { expect, test } from 'vitest';
import { scheduleDay } from '../support/schedule-day.ts';

test('a day of 500 mixed schedules, five schedulers killed in turn: every time once, with the right outcome', async () => {
  const { times, kills } = await scheduleDay({ schedules: 500, hours: 24, killEvery: 20 });
  // How many passes are really cut in the middle is up to the machine.
  expect(kills).toBeGreaterThan(5);
  expect(times).toBeGreaterThan(20_000);
}, 900_000);
