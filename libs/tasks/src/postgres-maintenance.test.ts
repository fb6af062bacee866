import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@jetbeat/task';
import { runTask } from '@jetbeat/task/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { postgresMaintenance } from './postgres-maintenance.ts';
import type { PostgresConnection } from './postgres-session.ts';

const SERVER = process.env['JETBEAT_TEST_DATABASE_URL'] ?? '';
const database = `jetbeat_tasks_${randomBytes(6).toString('hex')}`;
const guest = `${database}_guest`;
let url: string;
let dir: string;
let db: Client;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-'));
  url = urlOf({});
  await onServer(`create database ${database}`);
  db = await connected(url);
  await db.query(`
    create schema "Odd ""Shop""";
    create table "Odd ""Shop"""."a.b;c" (n int);
    create table orders (n int);
    insert into orders select generate_series(1, 1000);
    delete from orders where n > 500;
    create table parts (n int) partition by range (n);
    create view seen as select * from orders;
    create materialized view kept as select * from orders;
    create role ${guest} login password 'hunter2';
  `);
});
afterAll(async () => {
  await db?.end();
  await onServer(`drop database if exists ${database} with (force)`);
  await onServer(`drop role if exists ${guest}`);
  await rm(dir, { recursive: true, force: true });
});

function urlOf({ user, password }: { user?: string; password?: string }): string {
  const made = new URL(SERVER);
  made.pathname = `/${database}`;
  if (user !== undefined) made.username = user;
  if (password !== undefined) made.password = password;
  return made.href;
}

async function connected(to: string): Promise<Client> {
  const client = new Client({ connectionString: to });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function onServer(statement: string): Promise<void> {
  const client = await connected(SERVER);
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

const maintain = (input: object, main: PostgresConnection = { url }, options = {}) =>
  runTask(postgresMaintenance({ main }), input as never, { clock: systemClock, ...options });

async function statistics(table: string) {
  await db.query('select pg_stat_force_next_flush()');
  const { rows } = await db.query<{ vacuums: string; analyzes: string }>(
    `select vacuum_count as vacuums, analyze_count as analyzes
     from pg_stat_user_tables where relname = $1`,
    [table],
  );
  return rows[0];
}

/** The backend of the task that waits or works. */
async function taskBackends(): Promise<number> {
  const { rows } = await db.query<{ count: string }>(
    `select count(*) from pg_stat_activity
     where application_name = 'jetbeat postgres.maintenance' and state = 'active' and query like 'vacuum%'`,
  );
  return Number(rows[0]?.count);
}

test('VACUUM (ANALYZE) of named tables, and the result says how long each took', async () => {
  const run = await maintain({ tables: ['orders', 'public.kept', 'parts'] });
  expect(run.outcome).toBe('succeeded');
  expect(run.result).toEqual({
    action: 'vacuum-analyze',
    tables: ['public.orders', 'public.kept', 'public.parts'].map((name) => ({
      name,
      ms: expect.any(Number),
    })),
  });
  expect(await statistics('orders')).toEqual({ vacuums: '1', analyzes: '1' });
});

test('VACUUM and ANALYZE alone', async () => {
  await db.query('create table alone (n int)');
  expect((await maintain({ action: 'vacuum', tables: ['alone'] })).outcome).toBe('succeeded');
  expect(await statistics('alone')).toMatchObject({ vacuums: '1', analyzes: '0' });
  expect((await maintain({ action: 'analyze', tables: ['alone'] })).outcome).toBe('succeeded');
  expect(await statistics('alone')).toMatchObject({ vacuums: '1', analyzes: '1' });
});

test('any name is only a name', async () => {
  const run = await maintain({ tables: [{ schema: 'Odd "Shop"', table: 'a.b;c' }] });
  expect(run.result).toMatchObject({ tables: [{ name: 'Odd "Shop".a.b;c' }] });
});

test.each([
  [['nothing'], 'no_such_table'],
  [['Orders'], 'no_such_table'],
  [['orders; drop table orders'], 'no_such_table'],
  [['orders" ; drop table orders; --'], 'no_such_table'],
  [['"orders"'], 'no_such_table'],
  [['public.orders, seen'], 'no_such_table'],
  [['seen'], 'no_such_table'],
  [['nowhere.orders'], 'no_such_table'],
  [['orders', 'nothing'], 'no_such_table'],
  [['a.b.c'], 'invalid_table'],
  [['.'], 'invalid_table'],
  [['x'.repeat(64)], 'invalid_table'],
  [[{ table: 'a\0b' }], 'invalid_table'],
  [[], 'invalid_input'],
])('%j is rejected, and nothing is done', async (tables, code) => {
  const before = await statistics('orders');
  expect(await maintain({ tables })).toMatchObject({ outcome: 'rejected', error: { code } });
  expect(await statistics('orders')).toEqual(before);
});

test('who may not is told so, where VACUUM would have skipped the table with a warning', async () => {
  const as = { url: urlOf({ user: guest, password: 'hunter2' }) };
  const run = await maintain({ tables: ['orders'] }, as);
  expect(run).toMatchObject({ outcome: 'rejected', error: { code: 'table_not_permitted' } });
  await db.query(`grant maintain on orders to ${guest}`);
  expect((await maintain({ tables: ['orders'] }, as)).outcome).toBe('succeeded');
});

test('the URL may come from a file; what cannot be read or reached is tried again, without its password', async () => {
  const urlFile = join(dir, 'url');
  const input = { tables: ['orders'] };
  const runs = [await maintain(input, { urlFile })];
  await writeFile(urlFile, 'no url at all: hunter2');
  runs.push(await maintain(input, { urlFile }));
  await writeFile(urlFile, `${urlOf({ user: 'nobody', password: 'hunter2' })}\n`);
  runs.push(await maintain(input, { urlFile }));
  runs.push(await maintain(input, { url: 'postgres://u:hunter2@127.0.0.1:1/x' }));
  for (const run of runs) {
    expect(run).toMatchObject({ outcome: 'failed', error: { code: expect.stringMatching(/^postgres_/) } });
    expect(JSON.stringify(run)).not.toContain('hunter2');
  }
  await writeFile(urlFile, `${url}\n`);
  expect((await maintain(input, { urlFile })).outcome).toBe('succeeded');
});

test('a connection that is not configured is named', async () => {
  const run = await maintain({ tables: ['orders'], connection: 'shop' });
  expect(run).toMatchObject({ outcome: 'rejected', error: { code: 'not_configured' } });
  expect(run.error?.message).toContain('postgres.connections.shop');
});

test('a table that somebody holds is tried again after lockTimeout', async () => {
  const holder = await connected(url);
  await holder.query('begin; lock table orders in access exclusive mode');
  const run = await maintain({ tables: ['orders'], lockTimeout: '50ms' });
  expect(run).toMatchObject({ outcome: 'failed', error: { code: 'lock_timeout' } });
  await holder.end();
});

test('the end of the attempt ends the statement on the server', async () => {
  const holder = await connected(url);
  await holder.query('begin; lock table orders in access exclusive mode');
  const stop = new AbortController();
  const run = maintain({ tables: ['orders'] }, { url }, { signal: stop.signal });
  await expect.poll(taskBackends).toBe(1);
  stop.abort(new Error('enough'));
  expect(await run).toMatchObject({ outcome: 'failed', interrupted: true });
  await expect.poll(taskBackends).toBe(0);
  await holder.end();
});

test('no statement outlives the hard limit', async () => {
  const holder = await connected(url);
  await holder.query('begin; lock table orders in access exclusive mode');
  const policy = { timeout: { hard: 300 } };
  const run = await maintain({ tables: ['orders'] }, { url }, { policy });
  expect(run.outcome).toBe('timed-out');
  await expect.poll(taskBackends).toBe(0);
  await holder.end();
});

test('a server that says nothing is left when the attempt ends', async () => {
  const asked = Promise.withResolvers<void>();
  const silent = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => asked.resolve());
  });
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  const { port } = silent.address() as { port: number };
  const stop = new AbortController();
  const run = maintain(
    { tables: ['orders'] },
    { url: `postgres://u:p@127.0.0.1:${port}/x` },
    { signal: stop.signal },
  );
  await asked.promise;
  stop.abort(new Error('enough'));
  expect((await run).outcome).toBe('failed');
  await new Promise((done) => silent.close(done));
});
