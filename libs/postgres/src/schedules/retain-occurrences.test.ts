import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON, newId, sampleSpec } from '../database/sample.ts';
import { retainOccurrences } from './retain-occurrences.ts';
import { createSchedule } from './schedules.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('retain-test');
  db = made.db;
  return made.drop;
});
beforeEach(async () => {
  await inside(db).run('truncate schedule, occurrence, job');
});

const DAY = 86_400_000;

test('a backfill of old times is kept from its dispatch on, so that a repeat of its call finds it', async () => {
  const { id } = await createSchedule(db, {
    id: newId(),
    name: 'one',
    definition: sampleSpec('one'),
    now: NOON,
  });
  await inside(db).run(
    `insert into occurrence (schedule_id, nominal_time, dispatch_at, origin, state)
     values ($1, $2, null, 'plan', 'dispatched'), ($1, $2, $3, 'backfill:1', 'dispatched'), ($1, $3, null, 'plan', 'dispatched')`,
    [id, new Date(NOON - 400 * DAY), new Date(NOON)],
  );
  expect(await retainOccurrences(db, { before: NOON - 90 * DAY, limit: 10 })).toBe(1);
  const left = await inside(db).rows('select origin from occurrence order by nominal_time');
  expect(left).toEqual([{ origin: 'backfill:1' }, { origin: 'plan' }]);
  expect(await retainOccurrences(db, { before: NOON + DAY, limit: 10 })).toBe(1);
});
