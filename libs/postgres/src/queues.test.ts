import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import type { Database } from './database.ts';
import { openDatabase } from './open.ts';
import { countByQueue } from './queue-census.ts';
import { addQueueRates, queueRates } from './queue-rates.ts';
import { limitsOf, settingsOf } from './queue-record.ts';
import { allQueueSettings, changeQueue, getQueue, listQueues, purgingQueues, seedQueues } from './queues.ts';
import { NOON } from './sample.ts';

let made: TestDatabase;
let db: Database;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'queues-test' });
});
afterAll(async () => {
  await db?.close();
  await made?.drop();
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

test('rates are of the last minute that is over, whoever counts', async () => {
  const rate = { queue: 'mail', succeeded: 3, failed: 1, ended: 0 };
  const slice = NOON - (NOON % 10_000);
  for (const now of [slice - 70_000, slice - 60_000, slice - 5, slice - 5, slice + 5])
    await addQueueRates(db, { rates: [rate, { ...rate, queue: 'a' }], now });
  const found = await queueRates(db, slice + 9_000);
  expect(found.get('mail')).toEqual({ queue: 'mail', succeeded: 9, failed: 3, ended: 0 });
  await addQueueRates(db, { rates: [], now: slice + 3_600_000 });
  expect(await queueRates(db, slice + 9_000)).toEqual(new Map());
  expect(await countByQueue(db)).toEqual({ counts: [], capped: [] });
});
