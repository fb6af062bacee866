import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { createApiKey, findApiKey } from '../access/api-keys.ts';
import { databaseTime, migrate } from '../migrating/migrate.ts';
import { type Database, inside } from './database.ts';
import { DatabaseUnavailableError } from './errors.ts';
import { openDatabase } from './open.ts';

let made: TestDatabase;
let db: Database;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'database-test' });
});
afterAll(async () => {
  await db?.close();
  await made?.drop();
});

test('PostgreSQL tells the time in milliseconds', async () => {
  const time = await databaseTime(db);
  expect(Math.abs(time - Date.now())).toBeLessThan(60_000);
  expect(Number.isInteger(time)).toBe(true);
});

test('migrating again, from several processes at once, changes nothing', async () => {
  const others = await Promise.all(
    [1, 2, 3].map(() => openDatabase({ url: made.url, applicationName: 'other' })),
  );
  const names = () => inside(db).rows<{ name: string }>('select name from migration order by id');
  const before = await names();
  expect(before.map(({ name }) => name)).toEqual([
    '0001-initial',
    '0002-expiry',
    '0003-queues',
    '0004-callbacks',
    '0005-retries',
    '0006-unique',
    '0007-unmade',
    '0008-task-limits',
    '0009-schedules',
    '0010-schedule-upkeep',
    '0010-access',
    '0011-audit',
    '0012-secrets',
    '0013-batches',
    '0014-sessions',
    '0015-askers',
    '0016-heard-batches',
    '0017-one-beginning',
    '0018-bounded-edits',
  ]);
  await Promise.all(others.map((other) => migrate(other)));
  await Promise.all(others.map((other) => other.close()));
  expect(await names()).toEqual(before);
});

test('without a server every call fails soon and says so', async () => {
  const away = await openDatabase({ url: 'postgres://a:b@127.0.0.1:1/x', applicationName: 'away' });
  const failed = { code: 'database_unavailable', message: expect.stringContaining('ECONNREFUSED') };
  await expect(away.ping()).rejects.toMatchObject(failed);
  await expect(findApiKey(away, 'k')).rejects.toMatchObject(failed);
  await expect(migrate(away)).rejects.toBeInstanceOf(DatabaseUnavailableError);
  await away.close();
});

test('a server that takes connections and never answers is given up after 5 s, and closing does not wait for it', async () => {
  const mute = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const address = mute.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const stuck = await openDatabase({ url: `postgres://a:b@127.0.0.1:${port}/x`, applicationName: 'stuck' });
  const begun = performance.now();
  await expect(stuck.ping()).rejects.toMatchObject({ code: 'database_unavailable' });
  await stuck.close();
  expect(performance.now() - begun).toBeLessThan(20_000);
  await new Promise((resolve) => mute.close(resolve));
});

test('a lost connection is an error of its call only', async () => {
  const broken = inside(db).transaction(async (sql) => {
    const row = await sql.row<{ pid: number }>('select pg_backend_pid() as pid');
    await inside(db).run('select pg_terminate_backend($1)', [row?.pid]);
    await sql.run('select 1');
  });
  await expect(broken).rejects.toMatchObject({ code: 'database_unavailable' });
  await db.ping();
});

test('a connection that breaks while nobody uses it is told, and the next call has another one', async () => {
  const warned = Promise.withResolvers<string>();
  const warn = (_: object, text: string) => warned.resolve(text);
  const idle = await openDatabase({ url: made.url, applicationName: 'idle', log: { warn } });
  const row = await inside(idle).row<{ pid: number }>('select pg_backend_pid() as pid');
  await inside(db).run('select pg_terminate_backend($1)', [row?.pid]);
  expect(await warned.promise).toContain('PostgreSQL closed a connection');
  await idle.ping();
  await idle.close();
});

test('what fails inside a transaction undoes it, and its error comes through', async () => {
  const failing = inside(db).transaction(async (sql) => {
    await sql.run(`insert into api_key values ('k', 'x', 'viewer', now())`);
    throw new Error('on purpose');
  });
  await expect(failing).rejects.toThrow('on purpose');
  await expect(inside(db).run('select wrong')).rejects.toMatchObject({ code: '42703' });
  expect(await findApiKey(db, 'k')).toBeUndefined();
});

test('transactions that wait for each other are run again', async () => {
  const key = { hash: 'h', role: 'viewer', name: '', payloads: true, createdAt: 0 } as const;
  await createApiKey(db, { ...key, id: 'a' });
  await createApiKey(db, { ...key, id: 'b' });
  const both = Promise.withResolvers<void>();
  let arrived = 0;
  const crossing = (first: string, second: string) =>
    inside(db).transaction(async (sql) => {
      await sql.run(`update api_key set hash = hash || 'x' where id = $1`, [first]);
      if (++arrived === 2) both.resolve();
      await both.promise;
      await sql.run(`update api_key set hash = hash || 'x' where id = $1`, [second]);
    });
  await Promise.all([crossing('a', 'b'), crossing('b', 'a')]);
  // Whoever lost may lose once more.
  expect(arrived).toBeGreaterThanOrEqual(3);
  expect(await findApiKey(db, 'a')).toMatchObject({ hash: 'hxx' });
});

test('a closed database holds nothing and says so', async () => {
  const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
  const before = sockets();
  const short = await openDatabase({ url: made.url, applicationName: 'short' });
  await Promise.all([short.ping(), short.ping(), short.ping()]);
  await Promise.all([short.close(), short.close()]);
  await expect.poll(sockets).toBeLessThanOrEqual(before);
  await expect(short.ping()).rejects.toMatchObject({ code: 'database_unavailable' });
});
