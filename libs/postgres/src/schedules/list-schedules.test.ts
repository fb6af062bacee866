import type { ScheduleSpec } from '@jetbeat/core';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON } from '../database/sample.ts';
import { firingSchedules, listSchedules } from './list-schedules.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('list-schedules-test');
  db = made.db;
  return made.drop;
});
beforeEach(async () => {
  await inside(db).run('truncate schedule, occurrence, job');
});

const LARGE = 900_000;

/** Schedules that are due at noon, as somebody writes them in plain SQL. `job`: SQL of what it has beside its task. */
async function make(count: number, job: string, more = `'{}'::jsonb`): Promise<void> {
  await inside(db).run(
    `insert into schedule (name, definition, cursor_at, next_at)
     select 's' || to_char(n, 'FM000'), jsonb_build_object('when', jsonb_build_object('every', 60000),
       'job', jsonb_build_object('task', 'a') || ${job}) || ${more}, $1, $1
     from generate_series(1, $2::integer) n`,
    [new Date(NOON), count],
  );
}

const sizeOf = (value: unknown) => JSON.stringify(value).length;

test('of a schedule in a list what is large is left out, and named; what is small stays, byte for byte', async () => {
  const notes = `'{"a": "${'y'.repeat(5_000)}"}'`;
  await make(
    40,
    `jsonb_build_object('input', repeat('x', ${LARGE}), 'meta', ${notes}::jsonb, 'queue', 'mail')`,
  );
  const large = await listSchedules(db, { limit: 40 });
  expect(sizeOf(large)).toBeLessThan(40_000);
  for (const { definition, cut } of large.schedules) {
    expect(cut).toEqual(['input', 'meta']);
    expect(definition.job).toEqual({ task: 'a', input: null, meta: {}, queue: 'mail' });
    expect(definition.when).toEqual({ every: 60_000 });
  }
  await inside(db).run('truncate schedule');
  // 4,096 bytes of JSON, and one more.
  await make(1, `jsonb_build_object('input', repeat('x', 4094))`);
  expect((await listSchedules(db, { limit: 1 })).schedules).toMatchObject([
    { cut: [], definition: { job: { input: 'x'.repeat(4_094) } } },
  ]);
  await inside(db).run('update schedule set definition = $1', [
    JSON.stringify({ job: { task: 'a', input: 'x'.repeat(4_095) } }),
  ]);
  expect((await listSchedules(db, { limit: 1 })).schedules[0]?.cut).toEqual(['input']);
});

test('a page ends where memory does, and the next one goes on there; one schedule is on it in any case', async () => {
  await make(
    7,
    `'{"input": 1}'`,
    `jsonb_build_object('labels', jsonb_build_object('a', repeat('x', 100000)))`,
  );
  const pages: string[][] = [];
  for (let after = ''; pages.length < 9; ) {
    const { schedules, next } = await listSchedules(db, { limit: 5, after, budget: 250_000 });
    pages.push(schedules.map(({ name }) => name));
    if (next === undefined) break;
    after = next;
  }
  expect(pages).toEqual([['s001', 's002', 's003'], ['s004', 's005', 's006'], ['s007']]);
  const { schedules, next } = await listSchedules(db, { limit: 5, budget: 1 });
  expect([schedules.length, next]).toEqual([1, 's001']);
});

test('what its table does not check is listed as it is', async () => {
  for (const [index, text] of ['[]', '"x"', '7', '{"job": [{"input": 1}]}', '{"job": 1}'].entries())
    await inside(db).run('insert into schedule (name, definition) values ($1, $2)', [`odd${index}`, text]);
  await inside(db).run(
    `insert into schedule (name, definition) values ('odd9', to_jsonb(repeat('x', ${LARGE})))`,
  );
  const { schedules } = await listSchedules(db, { limit: 9 });
  expect(schedules.map(({ cut }) => cut.length)).toEqual([0, 0, 0, 0, 0, 0]);
  expect((await firingSchedules(db, { upTo: Date.now() + 1_000, limit: 9 })).schedules).toHaveLength(6);
});

test('a look into the future reads when schedules fire, and nothing of what their jobs are about', async () => {
  await make(40, `jsonb_build_object('input', repeat('x', ${LARGE}), 'meta', '{"a": "b"}'::jsonb)`);
  const look = (params: { limit: number; budget?: number }) => firingSchedules(db, { upTo: NOON, ...params });
  const seen = await look({ limit: 40 });
  expect([seen.schedules.length, seen.whole]).toEqual([40, true]);
  expect(sizeOf(seen)).toBeLessThan(40_000);
  const rule: Partial<ScheduleSpec> = { when: { every: 60_000 }, job: { task: 'a', input: null } };
  for (const { definition } of seen.schedules) expect(definition).toMatchObject(rule);
  expect((await look({ limit: 39 })).whole).toBe(false);
  // A rule with its task is some 80 bytes.
  const some = await look({ limit: 40, budget: 400 });
  expect([some.schedules.length > 1, some.schedules.length < 10, some.whole]).toEqual([true, true, false]);
});
