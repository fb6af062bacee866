import type { ScheduleSpec } from '@jetbeat/core';
import type { ScheduleRecord } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { forecast } from './forecast.ts';

const NOW = Date.UTC(2026, 4, 4);
const HOUR = 3_600_000;

function schedule(
  name: string,
  spec: Partial<ScheduleSpec>,
  fields: Partial<ScheduleRecord> = {},
): ScheduleRecord {
  const definition: ScheduleSpec = {
    name,
    when: { every: HOUR },
    timeZone: 'UTC',
    job: { task: 't', input: 1 },
    overlap: 'skip',
    catchUp: 'latest',
    ...spec,
  };
  const times = { createdAt: NOW, updatedAt: NOW, cursor: NOW };
  return { id: name, name, definition, version: 1, runs: 0, nextAt: NOW + 1, ...times, ...fields };
}

const look = (schedules: readonly ScheduleRecord[], hours: number, whole = true) =>
  forecast({ schedules, whole, after: NOW, to: NOW + hours * HOUR });

test('times of all are in one order; a pause counts until it ends, and no more runs than are left', async () => {
  const pause = { by: 'me', since: NOW, until: NOW + 2 * HOUR };
  const seen = await look(
    [
      schedule('a', {}),
      schedule('b', { maxRuns: 4 }, { runs: 3 }),
      schedule('c', {}, { paused: pause }),
      schedule('d', { timeZone: 'Mars/Olympus', when: { cron: '0 * * * *' } }),
    ],
    3,
  );
  expect(seen.items.map(({ schedule: name, nominalTime }) => `${name}${nominalTime.slice(12, 13)}`)).toEqual([
    ...['a1', 'b1', 'a2', 'c2', 'a3', 'c3'],
  ]);
  expect(seen).toMatchObject({ truncated: false, until: '2026-05-04T03:00:00.000Z' });
});

test('beyond a thousand it ends before the first instant that is not whole', async () => {
  const many = Array.from({ length: 300 }, (_, index) => schedule(`s${index}`, {}));
  const seen = await look(many, 24);
  expect([seen.items.length, seen.truncated, seen.until]).toEqual([900, true, '2026-05-04T03:59:59.999Z']);
  const busy = await look([schedule('each', { when: { every: 1_000 } })], 24);
  expect([busy.items.length, busy.truncated, busy.until]).toEqual([1_000, true, '2026-05-04T00:16:40.999Z']);
});

test('more at one instant than there is room for are cut, and that is said', async () => {
  const many = Array.from({ length: 1_100 }, (_, index) => schedule(`s${index}`, {}));
  const seen = await look(many, 24);
  expect([seen.items.length, seen.truncated, seen.until]).toEqual([1_000, true, '2026-05-04T01:00:00.000Z']);
});

test('where not all schedules were looked at, it is whole up to the first that was not', async () => {
  const some = [schedule('a', {}), schedule('late', {}, { nextAt: NOW + 2 * HOUR })];
  const seen = await look(some, 24, false);
  expect([seen.items.length, seen.truncated, seen.until]).toEqual([1, true, '2026-05-04T01:59:59.999Z']);
});
