import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON } from '../database/sample.ts';
import { countByQueue } from './queue-census.ts';
import { addQueueRates, queueRates } from './queue-rates.ts';
import { limitsOf, settingsOf } from './queue-record.ts';
import {
  allQueueSettings,
  changeQueue,
  getQueue,
  listQueues,
  MAX_QUEUES,
  purgingQueues,
  seedQueues,
} from './queues.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('queues-test');
  db = made.db;
  return made.drop;
});

const rateLimit = { limit: 5, periodMs: 60_000, per: 'queue' as const };
const seed = (entries: [string, object][], now = NOON) => seedQueues(db, { queues: new Map(entries), now });
const change = (name: string, changes: object, now = NOON) =>
  changeQueue(db, { name, now, change: () => changes });

test('what the configuration says holds until something is said at run time, and again when that is null', async () => {
  await seed([
    ['default', {}],
    ['mail', { concurrency: 5, rateLimit }],
  ]);
  const first = await getQueue(db, 'mail');
  expect(first).toMatchObject({ version: 1, own: {}, initial: { concurrency: 5, rateLimit } });
  const changed = await change('mail', { concurrency: 2, maxDepth: 9 });
  expect(changed.version).toBe(2);
  expect(limitsOf(changed)).toEqual({ concurrency: 2, rateLimit, maxDepth: 9 });
  await seed([['mail', { concurrency: 5, rateLimit: { per: 'queue', periodMs: 60_000, limit: 5 } }]]);
  expect((await getQueue(db, 'mail'))?.version).toBe(2);
  await seed([['mail', { concurrency: 7 }]]);
  const back = await change('mail', { concurrency: null, maxDepth: null });
  expect(back.version).toBe(4);
  expect(settingsOf(back)).toEqual({ version: 4, concurrency: 7 });
  await seed([['other', {}]]);
  expect((await listQueues(db)).map(({ name, initial }) => [name, initial])).toEqual([
    ['default', {}],
    ['mail', {}],
    ['other', {}],
  ]);
});

test('a queue that nobody knows is made by its first change, and a change of nothing changes nothing', async () => {
  const nothing = await changeQueue(db, { name: 'new', now: NOON, change: () => undefined });
  expect(nothing).toMatchObject({ version: 0, own: {} });
  expect(await getQueue(db, 'new')).toBeUndefined();
  const paused = { by: 'ops', note: 'odd \u0000 text', since: NOON, until: NOON + 1 };
  const one = await change('new', { paused });
  expect(one).toMatchObject({ version: 1, paused: { by: 'ops', note: 'odd \ufffd text' } });
  const same = await changeQueue(db, { name: 'new', now: NOON + 5, change: () => undefined });
  expect(same).toEqual(one);
  const resumed = await change('new', { paused: null });
  expect(resumed).not.toHaveProperty('paused');
  expect((await allQueueSettings(db)).get('new')).toEqual({ version: 2 });
});

test('changes at the same time all count', async () => {
  await Promise.all(
    Array.from({ length: 8 }, () =>
      changeQueue(db, {
        name: 'counted',
        now: NOON,
        change: ({ own }) => ({ maxDepth: (own.maxDepth ?? 0) + 1 }),
      }),
    ),
  );
  expect(await getQueue(db, 'counted')).toMatchObject({ own: { maxDepth: 8 }, version: 8 });
});

test('a purge is under way until it is over', async () => {
  const purge = { upTo: 7, before: NOON, at: NOON, streamCreated: 1, timers: false, by: 'ops', removed: 0 };
  expect(settingsOf(await change('full', { purge }))).toMatchObject({ purge: { upTo: 7, before: NOON } });
  expect((await purgingQueues(db)).map(({ name }) => name)).toEqual(['full']);
  const done = await change('full', { purge: { ...purge, doneAt: NOON } });
  expect(settingsOf(done)).not.toHaveProperty('purge');
  expect(await purgingQueues(db)).toEqual([]);
});

test('rates are of the minute before, whoever counts, and show at once', async () => {
  const rate = { queue: 'mail', succeeded: 10, failed: 1, ended: 0 };
  const slice = NOON - (NOON % 10_000);
  for (const now of [slice - 70_000, slice - 60_000, slice - 5, slice - 5, slice + 5])
    await addQueueRates(db, { rates: [rate, { ...rate, queue: 'a' }], now });
  const told = async (now: number) => (await queueRates(db, now)).get('mail');
  // Of the slice in which the minute begins it has a share.
  expect(await told(slice)).toEqual({ queue: 'mail', succeeded: 40, failed: 4, ended: 0 });
  expect(await told(slice + 2_000)).toEqual({ queue: 'mail', succeeded: 38, failed: 4, ended: 0 });
  expect(await told(slice + 9_000)).toEqual({ queue: 'mail', succeeded: 31, failed: 3, ended: 0 });
  expect(await told(slice + 10_000)).toEqual({ queue: 'mail', succeeded: 30, failed: 3, ended: 0 });
  expect(await told(slice + 65_000)).toMatchObject({ succeeded: 5 });
  expect(await told(slice + 70_000)).toBeUndefined();
  await addQueueRates(db, { rates: [], now: slice + 3_600_000 });
  expect(await queueRates(db, slice + 9_000)).toEqual(new Map());
  expect(await countByQueue(db)).toEqual({ counts: [], capped: [] });
});

test('so many queues can be made and no more; those that are there are changed, and the configuration makes its own', async () => {
  const there = (await listQueues(db)).length;
  const fill = `insert into queue (name, version, initial, created_at, updated_at)
    select 'full-' || each, 1, '{}', now(), now() from generate_series(1, $1::int) each`;
  await inside(db).transaction((sql) => sql.run(fill, [MAX_QUEUES - 1 - there]));
  expect((await change('last', { maxDepth: 1 })).version).toBe(1);
  await expect(change('beyond', { maxDepth: 1 })).rejects.toMatchObject({
    code: 'too_many_queues',
    message: 'there are 1000 queues, which are as many as may be: take one that is there, or delete one',
  });
  expect(await getQueue(db, 'beyond')).toBeUndefined();
  expect((await change('last', { maxDepth: 2 })).version).toBe(2);
  await seed([['configured', {}]]);
  expect(await getQueue(db, 'configured')).toMatchObject({ version: 1 });
});
