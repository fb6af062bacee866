import { afterEach, beforeAll, expect, test } from 'vitest';
import { type Database, inside } from '../database/database.ts';
import { NOON, newId } from '../database/sample.ts';
import type { LockTimes } from './apply-migration.ts';
import { migrate } from './migrate.ts';
import { catalog, endAll, freshCatalog, oldDatabase, open, reader } from './old-schema.ts';

afterEach(endAll);
let fresh: unknown;
beforeAll(async () => {
  fresh = await freshCatalog();
  await endAll();
});

const locks: LockTimes = { lockMs: 500, statementMs: 20_000, againMs: 50, giveUpMs: 60_000 };
/** Others who write may be in the way for a moment, too. */
const BLOCKED_BY_READER = new RegExp(
  [
    String.raw`^the migration 0002-expiry has waited for \d+ s: "alter table job add column expires_at timestamptz" needs a lock of `,
    String.raw`process \d+ of PostgreSQL \(reader, idle in transaction for \d+ s: select count\(\*\) from job\)(, and process .*)?; `,
    String.raw`wait until that is over, or end it \(select pg_terminate_backend\(\d+\)(; select .*)?\), and start again`,
  ].join(''),
);

test('a lock that somebody keeps is given up again and again, so that writers go on; the error says whose it is', async () => {
  const { db, url } = await oldDatabase();
  const end = await reader(url);
  // Long enough for a busy machine to look who keeps it.
  const failing = migrate(db, { locks: { ...locks, lockMs: 1_000, giveUpMs: 1_000 } });
  expect(await failing.catch((error: unknown) => error)).toMatchObject({
    code: 'migration_blocked',
    message: expect.stringMatching(BLOCKED_BY_READER),
  });
  let written = 0;
  const writtenAt: number[] = [];
  const log = { info() {}, warn: () => void writtenAt.push(written) };
  const done = new AbortController();
  const writing = insertUntil(await open(url, 'writer'), { signal: done.signal, onWritten: () => written++ });
  const migrating = migrate(db, { log, locks });
  // Between two tries one is written at least, and the reader goes on all the while.
  const between = () => (writtenAt.at(-1) ?? 0) - (writtenAt[0] ?? 0);
  await expect.poll(between, { timeout: 30_000 }).toBeGreaterThan(0);
  await end();
  await migrating;
  done.abort();
  await writing;
  expect(await catalog(db)).toEqual(fresh);
}, 60_000);

test('an index that has to wait too long for old transactions is told of too, and built the next time', async () => {
  const { db, url } = await oldDatabase();
  const end = await reader(url, 'select 1 from pg_class');
  const failed = await migrate(db, { buildWaitMs: 2_000 }).catch((error: unknown) => error);
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

/** Writes one job after the other. */
async function insertUntil(
  db: Database,
  { signal, onWritten }: { readonly signal: AbortSignal; readonly onWritten: () => void },
): Promise<void> {
  while (!signal.aborted) {
    await inside(db).run(
      `insert into job (id, task, queue, priority, state, "position", attempt, run, parks, created_at, run_at, due_at, check_at,
        published, input_known, origin)
      values ($1, 'a.b', 'default', 'normal', 'dead', 1, 1, 1, 0, now(), now(), now(), now(), true, true, 'api')`,
      [newId(NOON)],
    );
    onWritten();
  }
}
