import { randomUUID } from 'node:crypto';
import type { JobAccepted } from '@jetbeat/core';
import { MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProblemJson } from '../support/api.ts';
import type { AppProcess } from '../support/app-process.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';

let stack: Stack;
let api: AppProcess;
let orm: MikroORM;
const sql = <Row = Record<string, unknown>>(text: string) => orm.em.fork().execute<Row[]>(text);

beforeAll(async () => {
  stack = await startStack();
  api = await stack.start('api');
  await Promise.all([stack.start('recorder'), stack.start('worker')]);
  orm = await MikroORM.init({
    clientUrl: stack.postgres.url,
    discovery: { warnWhenNoEntities: false },
    entities: [],
  });
  await sql(`create function wait_here() returns trigger language plpgsql as $$
    begin perform pg_advisory_xact_lock_shared(77); return new; end $$`);
}, 90_000);
afterAll(async () => {
  await orm?.close();
  await stack?.stop();
}, 60_000);

/** Kills the API while it waits at a trigger, and what it had begun in PostgreSQL with it; then starts another one. */
async function killAt(trigger: string, act: () => Promise<unknown>): Promise<void> {
  const holder = orm.em.fork();
  await sql(`create trigger wait_here before ${trigger} execute function wait_here()`);
  await holder.begin();
  await holder.execute('select pg_advisory_xact_lock(77)');
  const cut = act().then(
    () => 'answered',
    () => 'cut',
  );
  const waiting = `from pg_stat_activity where application_name = 'jetbeat api' and wait_event = 'advisory'`;
  await waitUntil('it waits there', async () => (await sql(`select 1 ${waiting}`)).length > 0);
  await api.kill();
  await sql(`select pg_terminate_backend(pid) ${waiting}`);
  await waitUntil('nothing of it goes on', async () => (await sql(`select 1 ${waiting}`)).length === 0);
  await holder.rollback();
  await sql(`drop trigger wait_here on ${/ on (\w+)/.exec(trigger)?.[1]}`);
  expect(await cut).toBe('cut');
  api = await stack.start('api');
}

test.each([
  ['before the job is stored', 'insert on job for each row'],
  ['between job and answer', 'update on answer for each row when (new.status is not null)'],
])(
  'killed %s: the repeat makes one job of it, which runs once',
  async (_name, trigger) => {
    const key = randomUUID();
    const body = { task: 'system.echo', input: key, meta: { key } };
    const post = () =>
      stack.http.call<JobAccepted & ProblemJson>('POST', '/jobs', body, { 'Idempotency-Key': key });
    await killAt(trigger, post);
    // Nobody knows yet that it is dead.
    expect((await post()).body).toMatchObject({ status: 409, code: 'request_in_flight' });
    await sql(`update answer set lease_until = clock_timestamp() where key = '${key}'`);
    const { status, body: accepted } = await post();
    expect([status, accepted.created]).toEqual([202, true]);
    const again = await post();
    expect([again.body, again.headers.get('idempotent-replayed')]).toEqual([accepted, 'true']);
    const ended = await stack.http.ended(accepted.id);
    expect([ended.state, ended.result, ended.attempts.length]).toEqual(['succeeded', key, 1]);
    expect(await sql(`select 1 from job where meta->>'key' = '${key}'`)).toHaveLength(1);
  },
  60_000,
);

test('killed whenever: each change of a queue that is there has its row in the audit log, and no row is without its change', async () => {
  const change = (concurrency: number) => stack.http.call('PUT', '/queues/audited', { concurrency });
  expect((await change(1)).status).toBe(200);
  await killAt('insert on audit for each row', () => change(1_000));
  const versions = async () => {
    const [queue] = await sql<{ version: number; concurrency: number }>(
      `select version, concurrency from queue where name = 'audited'`,
    );
    const rows = await sql<{ version: number }>(
      `select (after->>'version')::int as version from audit where target_id = 'audited' order by version`,
    );
    return { queue, told: rows.map(({ version }) => version) };
  };
  expect(await versions()).toEqual({ queue: { version: 2, concurrency: 1 }, told: [2] });
  let n = 1;
  let isDead = false;
  const keepChanging = async () => {
    while (!isDead) await change(++n).catch(() => {});
  };
  const before = n;
  const changing = [1, 2, 3, 4].map(keepChanging);
  await waitUntil('it is changed again and again', () => n > before + 40);
  await api.kill();
  isDead = true;
  await Promise.all(changing);
  await waitUntil(
    'nothing of it goes on',
    async () =>
      (await sql(`select 1 from pg_stat_activity where application_name = 'jetbeat api'`)).length === 0,
  );
  const { queue, told } = await versions();
  expect(queue?.version).toBeGreaterThan(20);
  expect(told).toEqual(Array.from({ length: (queue?.version ?? 0) - 1 }, (_, index) => index + 2));
}, 60_000);
