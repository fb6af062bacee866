import { afterEach, beforeAll, expect, test } from 'vitest';
import type { LockTimes } from './apply-migration.ts';
import { type Database, inside } from './database.ts';
import { migrate } from './migrate.ts';
import { catalog, endAll, freshCatalog, oldDatabase, open, reader } from './old-schema.ts';
import { NOON, newId } from './sample.ts';

afterEach(endAll);
let fresh: unknown;
beforeAll(async () => {
  fresh = await freshCatalog();
  await endAll();
});

const locks: LockTimes = { lockMs: 500, statementMs: 2_000, againMs: 50, giveUpMs: 1_500 };

test('a lock that somebody keeps is given up again and again, so that writers go on; the error says whose it is', async () => {
  const { db, url } = await oldDatabase();
  const end = await reader(url);
  const warned: object[] = [];
  const log = { info() {}, warn: (data: object) => warned.push(data) };
  const done = new AbortController();
  const slowest = insertUntil(await open(url, 'writer'), done.signal).catch(() => Number.NaN);
  const failed = await migrate(db, { log, locks }).catch((error: unknown) => error);
  expect(failed).toMatchObject({
    code: 'migration_blocked',
    message: expect.stringMatching(
      /^the migration 0002-expiry has waited for \d+ s: "alter table job add column expires_at timestamptz" needs a lock of process \d+ of PostgreSQL \(reader, idle in transaction for \d+ s: select count\(\*\) from job\); wait until that is over, or end it \(select pg_terminate_backend\(\d+\)\), and start again/,
    ),
  });
  expect(warned.length).toBeGreaterThan(1);
  await end();
  await migrate(db, { log, locks });
  done.abort();
  // Far from what the reader has kept the lock.
  expect(await slowest).toBeLessThan(1_500);
  expect(await catalog(db)).toEqual(fresh);
}, 60_000);

test('an index that has to wait too long for old transactions is told of too, and built the next time', async () => {
  const { db, url } = await oldDatabase();
  const end = await reader(url, 'select 1 from pg_class');
  const failed = await migrate(db, { buildWaitMs: 900 }).catch((error: unknown) => error);
  expect(failed).toMatchObject({
    code: 'migration_blocked',
    message: expect.stringMatching(
      /^the index job_expires has .* needs a lock of process \d+ of PostgreSQL \(reader, /,
    ),
  });
  await end();
  await migrate(db);
  expect(await catalog(db)).toEqual(fresh);
  // What the session was set to is not left to whoever gets its connection.
  const left = await Promise.all(
    Array.from({ length: 5 }, () =>
      inside(db).row('select current_setting($1) as value', ['statement_timeout']),
    ),
  );
  expect(left).toEqual(Array(5).fill({ value: '15s' }));
}, 60_000);

/** Writes one job after the other. Returns how long the slowest took, milliseconds. */
async function insertUntil(db: Database, signal: AbortSignal): Promise<number> {
  let slowest = 0;
  while (!signal.aborted) {
    const begun = performance.now();
    await inside(db).run(
      `insert into job (id, task, queue, priority, state, "position", attempt, run, parks, created_at, run_at, due_at, check_at,
        published, input_known, origin)
      values ($1, 'a.b', 'default', 'normal', 'dead', 1, 1, 1, 0, now(), now(), now(), now(), true, true, 'api')`,
      [newId(NOON)],
    );
    slowest = Math.max(slowest, performance.now() - begun);
  }
  return slowest;
}
