import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { waitUntil } from '../../../../test/support/wait-until.ts';
import { getBatch, openBatches } from '../batches/batches.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON, newId, sampleJob } from '../database/sample.ts';
import type { Sql } from '../database/sql.ts';
import { getJob, insertJobs } from '../jobs/jobs.ts';
import { historyIndexes } from '../migrations/history-indexes.ts';
import { buildMissing } from './build-missing.ts';
import { migrate } from './migrate.ts';
import {
  catalog,
  endAll,
  freshCatalog,
  migrating,
  oldDatabase,
  open,
  reader,
  untilRuns,
} from './old-schema.ts';

afterEach(endAll);
let fresh: unknown;
beforeAll(async () => {
  fresh = await freshCatalog();
  await endAll();
});

test('an installation of the first version comes to the schema of a fresh one, and keeps its jobs', async () => {
  const { db, ids } = await oldDatabase();
  await migrate(db);
  expect(await catalog(db)).toEqual(fresh);
  for (const id of ids) expect(await getJob(db, id)).toMatchObject({ id, state: 'dead', task: 'a.b' });
  await insertJobs(db, [sampleJob()]);
});

test('an installation whose migrations made the indexes themselves stays as it is', async () => {
  const { db } = await oldDatabase();
  await inside(db).orm.migrator.up({ to: '0006-unique' });
  for (const { name, table, on } of historyIndexes)
    await inside(db).run(`create index ${name} on ${table} ${on}`);
  const oids = () =>
    inside(db).rows(
      `select indexrelid as oid from pg_index join pg_class on pg_class.oid = indrelid where relname ~ '^(job|attempt)'`,
    );
  const before = await oids();
  await migrate(db);
  expect(before.length).toBeGreaterThan(historyIndexes.length);
  expect(await oids()).toEqual(expect.arrayContaining(before));
  expect(await catalog(db)).toEqual(fresh);
});

test('one migrates and the others wait for it, and say for whom when that is too long', async () => {
  const { db, url } = await oldDatabase();
  const end = await reader(url);
  const first = migrating(url);
  // It waits for a lock, and gives up and takes it up again.
  await untilRuns(db, 'migrating', 'alter table job%');
  const hasty = await migrate(await open(url, 'hasty'), { waitMs: 50 }).catch((error: unknown) => error);
  expect(hasty).toMatchObject({
    code: 'database_unavailable',
    message: expect.stringMatching(/^process \d+ of PostgreSQL \(migrating, .*wait until it is done/),
  });
  const patient = migrate(await open(url, 'patient'));
  await end();
  await Promise.all([patient, once(first, 'exit')]);
  expect(await catalog(db)).toEqual(fresh);
}, 60_000);

test('nobody waits for indexes that another one builds; who is killed in the middle is followed by another, who builds anew what was half built', async () => {
  const { db, url } = await oldDatabase();
  const end = await reader(url, 'select 1 from pg_class');
  const killed = migrating(url);
  // It waits for a transaction that was open before.
  await untilRuns(db, 'migrating', 'create index concurrently%');
  const half = await untilHalfBuilt(db, []);
  expect(half).toMatchObject([{ name: 'job_20260301_expires' }]);
  const told: unknown[] = [];
  const log = { info: (...line: unknown[]) => void told.push(line), warn() {} };
  await migrate(await open(url, 'neighbour'), { log });
  expect(told).toEqual([
    [
      {
        by: expect.stringMatching(
          /^process \d+ of PostgreSQL \(migrating, active .*create index concurrently/,
        ),
      },
      'indexes of history are being built by another process; this one goes on without them',
    ],
  ]);
  expect(await invalidIndexes(db)).toEqual(half);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  // Until the server has noticed it, nobody else builds.
  const next = waitUntil('the next one builds', async () => {
    await migrate(db);
    return (await invalidIndexes(db)).length === 0;
  });
  next.catch(() => {});
  expect(await untilHalfBuilt(db, half)).toMatchObject([{ name: 'job_20260301_expires' }]);
  await end();
  await next;
  expect(await invalidIndexes(db)).toEqual([]);
  expect(await catalog(db)).toEqual(fresh);
}, 60_000);

test('who has no time for the indexes of a history leaves them to whoever has; that one can be stopped, and goes on later', async () => {
  const { db, url } = await oldDatabase();
  const told: string[] = [];
  const log = { info: (_: object, text: string) => void told.push(text), warn() {} };
  await migrate(db, { log, leaveIndexes: true });
  expect(told.at(-1)).toMatch(/^indexes of history are missing: a recorder builds them/);
  expect(await invalidIndexes(db)).toEqual([]);
  const end = await reader(url, 'select 1 from pg_class');
  const stop = new AbortController();
  const building = buildMissing(db, { signal: stop.signal });
  await untilRuns(db, 'migrate-test', 'create index concurrently%');
  expect(await buildMissing(await open(url, 'neighbour'))).toBe('elsewhere');
  stop.abort();
  // Though the reader has not ended.
  expect(await building).toBe('stopped');
  await end();
  expect(await buildMissing(db)).toBe('built');
  expect(await catalog(db)).toEqual(fresh);
}, 60_000);

test('replays of dead letters are batches from then on: those that are there, one that an older process is just writing, and what it accepts later', async () => {
  const { db, url } = await oldDatabase();
  await inside(db).orm.migrator.up({ to: '0012-secrets' });
  const ids = [newId(), newId(), newId(), newId()] as const;
  const accept = (sql: Sql, id: string, done: number | null = null) =>
    sql.run(
      `insert into replay (id, filter, rate, most, by, last_id, replayed, skipped, created_at, done_at)
        values ($1, '{"task": "a.b"}', 5, 9, 'k9', $2, 3, 1, $3, $4)`,
      [id, ids[0], new Date(NOON), done && new Date(done)],
    );
  await accept(inside(db), ids[0]);
  await accept(inside(db), ids[1], NOON + 5);
  const older = await open(url, 'older');
  const migration = await inside(older).transaction(async (sql) => {
    await accept(sql, ids[2]);
    const done = migrate(await open(url, 'newer'));
    done.catch(() => {});
    await untilRuns(db, 'newer', 'create trigger replay_is_batch%');
    return { done };
  });
  await migration.done;
  await accept(inside(older), ids[3]);
  const taken = await Promise.all(ids.map((id) => getBatch(db, id)));
  const same = {
    action: 'replay',
    filter: { task: 'a.b', states: ['dead'] },
    rate: 5,
    most: 9,
    done: 3,
    skipped: 1,
  };
  const ends = [null, NOON + 5, null, null];
  expect(taken).toMatchObject(ids.map((id, at) => ({ ...same, id, createdAt: NOON, finishedAt: ends[at] })));
  expect([...(await openBatches(db))].sort()).toEqual([ids[0], ids[2], ids[3]].sort());
}, 60_000);

const invalidIndexes = (db: Database) =>
  inside(db).rows(
    `select indexrelid as id, relname as name from pg_index join pg_class on pg_class.oid = indexrelid where not indisvalid and relkind = 'i'`,
  );

/** Waits until there is another index half built than those: the statement runs for a moment before its index is seen. */
const untilHalfBuilt = (db: Database, before: readonly unknown[]) =>
  waitUntil('an index that is half built', async () => {
    const now = await invalidIndexes(db);
    return now.length > 0 && !isDeepStrictEqual(now, before) && now;
  });
