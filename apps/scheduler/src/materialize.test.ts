import { MAX_TIMES, type ScheduleSpec } from '@jetbeat/core';
import type { PlannedOccurrence, ScheduleRecord } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { planOne } from './materialize.ts';
import { createRecurrences } from './recurrences.ts';

const CREATED = Date.parse('2026-01-01T00:00:00Z');
const spec: ScheduleSpec = {
  ...{ name: 's', when: { every: 1_000 }, timeZone: 'UTC', overlap: 'skip', catchUp: 'latest' },
  job: { task: 'system.echo', input: null },
};

function record(change: Partial<ScheduleSpec> = {}, at: Partial<ScheduleRecord> = {}): ScheduleRecord {
  return {
    ...{ id: 'id', name: 's', createdAt: CREATED, updatedAt: CREATED, cursor: CREATED },
    definition: { ...spec, ...change },
    ...at,
  };
}

/** Plans up to `now`, pass after pass, and counts what it came to. */
function planThrough(schedule: ScheduleRecord, now: number) {
  const recurrence = createRecurrences().of(schedule);
  const found: PlannedOccurrence[] = [];
  let passes = 0;
  let cursor = schedule.cursor;
  for (let nextAt: number | undefined = CREATED; nextAt !== undefined && nextAt <= now; passes++) {
    const planned = planOne({ ...schedule, cursor }, recurrence, now);
    found.push(...planned.occurrences);
    ({ cursor, nextAt } = planned.schedule);
    expect(planned.looked).toBeLessThanOrEqual(MAX_TIMES);
  }
  const times = found.reduce((sum, { count = 1 }) => sum + count, 0);
  return {
    passes,
    times,
    due: found.filter(({ state }) => state === 'due').map(({ nominalTime }) => nominalTime),
  };
}

test('a long outage is planned in bounded passes, and every nominal time is accounted for once', () => {
  const seconds = 86_400;
  const now = CREATED + seconds * 1_000;
  // What is at most 2 s late is on time.
  expect(planThrough(record(), now)).toEqual({
    passes: 9,
    times: seconds,
    due: [now - 2_000, now - 1_000, now],
  });
  const all = planThrough(record({ catchUp: { all: 1_000 } }), now);
  expect(all).toMatchObject({ passes: 10, times: seconds });
  expect(all.due).toHaveLength(1_003);
});

test('a schedule that fires no more has no next time', () => {
  const schedule = record({ when: { at: CREATED + 5 } });
  const planned = planOne(schedule, createRecurrences().of(schedule), CREATED + 10);
  expect(planned.occurrences).toMatchObject([{ nominalTime: CREATED + 5, state: 'due', origin: 'plan' }]);
  expect(planned.schedule).toEqual({ id: 'id', cursor: CREATED + 10 });
});

test('a recurrence is read once per revision, and only so many are kept', () => {
  const recurrences = createRecurrences(2);
  const first = recurrences.of(record());
  expect(recurrences.of(record())).toBe(first);
  const changed = recurrences.of(record({ when: { every: 5_000 } }, { updatedAt: CREATED + 1 }));
  expect(changed.next(CREATED)).toBe(CREATED + 5_000);
  recurrences.of(record({}, { id: 'a' }));
  recurrences.of(record({}, { id: 'b' }));
  expect(recurrences.of(record({ when: { every: 5_000 } }, { updatedAt: CREATED + 1 }))).not.toBe(changed);
});
