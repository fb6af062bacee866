import { randomUUID } from 'node:crypto';
import type { JobAccepted } from '@jetbeat/core/http';
import { MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProblemJson } from '../support/api.ts';
import type { AppProcess } from '../support/app-process.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { openTriggerGate, type TriggerGate } from '../support/trigger-gate.ts';
import { waitUntil } from '../support/wait-until.ts';

let stack: Stack;
let api: AppProcess;
let orm: MikroORM;
let gate: TriggerGate;
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
  gate = await openTriggerGate(stack.postgres.url, 'jetbeat api');
}, 90_000);
afterAll(async () => {
  await orm?.close();
  await gate?.close();
  await stack?.stop();
}, 60_000);

/** Kills the API while it waits at a trigger, and what it had begun in PostgreSQL with it; then starts another one. */
async function killAt(trigger: string, act: () => Promise<unknown>): Promise<void> {
  const cut = () =>
    act().then(
      () => 'answered',
      () => 'cut',
    );
  await gate.killAt(
    trigger,
    async () => expect(await cut()).toBe('cut'),
    () => api.kill(),
  );
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
    await sql(
      `update answer set lease_until = date_trunc('milliseconds', clock_timestamp()) where key = '${key}'`,
    );
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
  expect((await change(1)).status).toBe(201);
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
  expect(await versions()).toEqual({ queue: { version: 1, concurrency: 1 }, told: [1] });
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
  expect(told).toEqual(Array.from({ length: queue?.version ?? 0 }, (_, index) => index + 1));
}, 60_000);
