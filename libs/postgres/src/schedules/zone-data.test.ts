import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON } from '../database/sample.ts';
import { materializePass } from './materialize.ts';
import { noteZones } from './zone-data.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('zone-data-test');
  db = made.db;
  return made.drop;
});

async function insert(name: string, nextAt: number, timeZone?: string): Promise<void> {
  const definition = { when: { cron: '0 3 * * *' }, job: { task: 'a' }, timeZone };
  await inside(db).run('insert into schedule (name, definition, next_at) values ($1, $2, $3)', [
    ...[name, definition, new Date(nextAt)],
  ]);
}

/** The names of what is to be planned at this time, in order; nothing of it is planned. */
async function planned(now: number, limit: number): Promise<string[]> {
  const names: string[] = [];
  const plan = (schedules: readonly { name: string }[]) => {
    names.push(...schedules.map(({ name }) => name));
    return { occurrences: [], schedules: [] };
  };
  await materializePass(db, { now, limit, plan });
  return names;
}

test('newer zone data have the schedules with a zone planned anew, once', async () => {
  await insert('zoned', NOON, 'Europe/Paris');
  await insert('utc', NOON, 'UTC');
  await insert('unsaid', NOON);
  await inside(db).run(`update schedule set next_at = $1`, [new Date(NOON)]);
  expect(await planned(NOON - 1, 10)).toEqual([]);
  expect(await noteZones(db, '2025b')).toBe(1);
  expect(await planned(NOON - 1, 10)).toEqual(['zoned']);
  for (const edition of ['2025b', '2025a', '', 'unknown']) expect(await noteZones(db, edition)).toBe(0);
  expect(await noteZones(db, '2026a')).toBe(1);
});

test('what has just come due is planned before what is long over', async () => {
  await inside(db).run('delete from schedule');
  for (let index = 0; index < 5; index++) await insert(`old${index}`, NOON - 3_600_000 + index);
  for (let index = 0; index < 3; index++) await insert(`new${index}`, NOON - 3 + index);
  await insert('later', NOON + 1);
  expect(await planned(NOON, 2)).toEqual(['new0', 'new1']);
  expect(await planned(NOON, 5)).toEqual(['new0', 'new1', 'new2', 'old0', 'old1']);
  expect(await planned(NOON, 100)).toHaveLength(8);
});
