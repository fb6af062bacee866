import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON, newId, sampleSpec } from '../database/sample.ts';
import { createSchedule, getSchedule } from './schedules.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('edits-test');
  db = made.db;
  return made.drop;
});

const MINUTE = 60_000;

test('a schedule that nobody plans is changed no more after a thousand times, or 16 MiB, and says why; once it is planned it is', async () => {
  await createSchedule(db, { id: newId(), name: 'one', definition: sampleSpec('one'), now: NOON });
  const edit = (every: number) =>
    inside(db).run(
      `update schedule set definition = jsonb_set(definition, '{when,every}', to_jsonb($1::int))`,
      [every],
    );
  const changed = (times: number, was: string) =>
    inside(db).run(
      `update schedule set superseded = (select jsonb_agg(jsonb_build_object('definition', ${was}, 'until', 1))
         from (select definition from generate_series(1, ${times})) edits)`,
    );
  const refused = async (every: number, times: number) => {
    const before = await getSchedule(db, 'one');
    await expect(edit(every)).rejects.toMatchObject({
      code: 'too_many_edits',
      message: expect.stringContaining(
        `the schedule one was changed ${times} times since a scheduler last planned it`,
      ),
    });
    expect(await getSchedule(db, 'one')).toEqual(before);
  };
  await changed(1, `repeat('x', 17 * 1024 * 1024)`);
  await refused(2 * MINUTE, 1);
  await changed(999, 'definition');
  await edit(2 * MINUTE);
  await refused(3 * MINUTE, 1_000);
  // What changes nothing needs no place.
  await edit(2 * MINUTE);
  // As a pass of a scheduler leaves it.
  await inside(db).run('update schedule set superseded = null');
  await edit(3 * MINUTE);
  expect(await getSchedule(db, 'one')).toMatchObject({
    version: 3,
    definition: { when: { every: 3 * MINUTE } },
  });
});
