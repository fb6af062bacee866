import { JOB_STATES, parseSearch } from '@jetbeat/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { countBatch } from '../batches/batch-filter.ts';
import { type Database, inside } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import { NOON } from '../database/sample.ts';
import { countByState, countJobs } from './count-jobs.ts';
import { countNewest } from './count-newest.ts';
import { allPages, COUNT, fillHistory, HOUR, type SampleOfHistory } from './history-sample.ts';

const NOW = NOON + COUNT * HOUR;
/** However busy the machine is. */
const budget = { rows: 10_000, ms: 10_000 };
let made: TestDatabase;
let db: Database;
/** Newest first. */
let known: SampleOfHistory[];

beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'count-test' });
  known = await fillHistory(db);
});
afterAll(async () => {
  await db?.close();
  await made?.drop();
});

const idsOf = (fits: (job: SampleOfHistory) => boolean) => known.filter(fits).map(({ id }) => id);

test('totals are counted up to a bound', async () => {
  expect(await countJobs(db, {}, { most: COUNT })).toEqual({ value: COUNT, capped: false });
  expect(await countJobs(db, {}, { most: COUNT - 1 })).toEqual({ value: COUNT - 1, capped: true });
  expect(await countJobs(db, { states: ['dead', 'queued'] })).toEqual({
    value: idsOf(({ state }) => state === 'dead' || state === 'queued').length,
    capped: false,
  });
  const terms = parseSearch('input.user.id:42');
  expect(await countJobs(db, { terms }, { budget })).toEqual({ value: 8, capped: false });
  expect(await countJobs(db, { terms }, { budget: { rows: 60, ms: 10_000 } })).toMatchObject({
    capped: true,
  });
});

test('counts by state are exact where they are not capped, and least numbers where they are', async () => {
  for (const filter of [
    {},
    { queue: 'q1' },
    { task: 'mail.task2', queue: 'q1' },
    { meta: { 'app.tenant': 't4' } },
  ])
    for (const most of [10_000, 30, 10]) {
      const counts = await countByState(db, filter, { most, now: NOW });
      for (const state of JOB_STATES) {
        const real = (await allPages(db, { ...filter, states: [state] })).length;
        const { value, capped } = counts.get(state) ?? { value: 0, capped: false };
        if (capped) expect(value, `${JSON.stringify(filter)} ${state} ${most}`).toBeLessThanOrEqual(real);
        else expect(value, `${JSON.stringify(filter)} ${state} ${most}`).toBe(real);
        expect(value).toBeLessThanOrEqual(Math.max(most, real));
      }
      if (most === 10_000) expect([...counts.values()].some(({ capped }) => capped)).toBe(false);
    }
});

test('a count for a batch takes its turn for each of its steps', async () => {
  const { searches } = inside(db);
  const { promise, resolve } = Promise.withResolvers<void>();
  const others = Array.from({ length: 3 }, () => searches(() => promise));
  // First it is looked by which index, then at jobs.
  const filter = { states: ['queued', 'dead'], queue: 'q1' } as const;
  const scope = { action: 'cancel', filter, queues: undefined, createdAt: NOW } as const;
  const counting = countBatch(db, scope, 10);
  others.push(searches(() => promise));
  await expect(counting).rejects.toMatchObject({ code: 'too_many_searches' });
  resolve();
  await Promise.all(others);
  expect(await countBatch(db, scope, 10_000)).toMatchObject({ capped: false });
});

test('while too many search, none of what looks into jobs is begun', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const others = Array.from({ length: 4 }, () => inside(db).searches(() => promise));
  const terms = parseSearch('input.user.id:42');
  const scope = {
    action: 'cancel',
    filter: { states: ['queued'] },
    queues: undefined,
    createdAt: NOW,
  } as const;
  const asked = [countJobs(db, { terms }), countByState(db, { terms }), countBatch(db, scope, 10)];
  for (const one of await Promise.allSettled(asked))
    expect(one).toMatchObject({ status: 'rejected', reason: { code: 'too_many_searches' } });
  resolve();
  await Promise.all(others);
  expect(await countJobs(db, { terms }, { budget })).toEqual({ value: 8, capped: false });
});

test('what fits into another list is counted among its newest 10,000, however many there are', async () => {
  const count = (rows: number, fits: readonly string[], walk: readonly string[] = []) =>
    countNewest(db, { from: `generate_series(1, ${rows}) x`, walk, fits, order: 'x desc', values: [] });
  expect(await count(10_000, [])).toEqual({ value: 10_000, capped: false });
  expect(await count(10_001, [])).toEqual({ value: 10_000, capped: true });
  expect(await count(100, ['x % 2 = 0', 'x > 50'])).toEqual({ value: 25, capped: false });
  // Those that are older are not looked at.
  expect(await count(30_000, ['x <= 20'])).toEqual({ value: 0, capped: true });
  expect(await count(30_000, ['x <= 20'], ['x < 1000'])).toEqual({ value: 20, capped: false });
});
