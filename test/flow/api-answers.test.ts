import { createHash, randomUUID } from 'node:crypto';
import type { JobAccepted } from '@jetbeat/core/http';
import { createApiKey } from '@jetbeat/postgres';
import { MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProblemJson, startTestApi, type TestApi } from '../support/api.ts';
import type { Http } from '../support/http.ts';
import { testNamespace } from '../support/nats.ts';
import { startScheduler } from '../support/scheduler.ts';
import { waitUntil } from '../support/wait-until.ts';

type Answered = JobAccepted & ProblemJson;

let api: TestApi;
let other: Http;
let orm: MikroORM;
const sql = (text: string) => orm.em.fork().execute<Record<string, unknown>[]>(text);
beforeAll(async () => {
  api = await startTestApi();
  other = await api.beside();
  orm = await MikroORM.init({
    clientUrl: api.databaseUrl,
    discovery: { warnWhenNoEntities: false },
    entities: [],
  });
}, 60_000);
afterAll(async () => {
  await orm?.close();
  await api?.stop();
});

const JOB = { task: 'report.send', input: { to: 'a' } };
const post = <Body = Answered>(path: string, body: unknown, key: string, http = api.http) =>
  http.call<Body>('POST', path, body, { 'Idempotency-Key': key });
const wasRepeat = ({ headers }: { headers: Headers }) => headers.get('idempotent-replayed') === 'true';
/** As a process leaves it that dies before it has kept its answer, when its lease is over. */
const forgetAnswer = (key: string) =>
  sql(`update answer set status = null, headers = null, body = null, lease_until = at where key = '${key}'`);
const jobs = async (filter: string) =>
  (await api.http.call<{ items: { id: string; retryOf?: string | null }[] }>('GET', `/jobs?${filter}`)).body
    .items;

test('50 at once to two replicas: one job, and everybody else hears that, or that it is under way', async () => {
  const key = randomUUID();
  const body = { ...JOB, meta: { test: key } };
  const all = await Promise.all(
    Array.from({ length: 50 }, (_, n) => post('/jobs', body, key, n % 2 ? other : api.http)),
  );
  const good = all.filter(({ status }) => status === 202);
  expect(good.filter((answer) => !wasRepeat(answer))).toHaveLength(1);
  expect(new Set(good.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
  const rest = all.filter(({ status }) => status !== 202);
  expect(new Set(rest.map(({ body: { code } }) => code))).toEqual(
    new Set(rest.length ? ['request_in_flight'] : []),
  );
  for (const { status, headers } of rest) expect([status, headers.get('retry-after')]).toEqual([409, '1']);
  expect(await sql(`select 1 from job where meta->>'test' = '${key}'`)).toHaveLength(1);
  const again = await post('/jobs', body, key, other);
  expect([again.status, again.body, wasRepeat(again)]).toEqual([202, good[0]?.body, true]);
  expect(again.headers.get('location')).toBe(`/api/v1/jobs/${again.body.id}`);
});

test('the answer is that of then: also when its job is over, or the name is free by now; only waiting is done anew', async () => {
  const first = await post('/jobs?wait=10ms', { ...JOB, delay: '1h' }, 'ended');
  expect(first.body).toMatchObject({ state: 'scheduled', created: true });
  const waited = await post('/jobs?wait=10ms', { ...JOB, delay: '1h' }, 'ended');
  expect([waited.status, waited.body, wasRepeat(waited)]).toEqual([202, first.body, true]);
  const plain = await post('/jobs', { ...JOB, delay: '1h' }, 'plain');
  for (const { id } of [first.body, plain.body]) {
    expect((await api.http.call('POST', `/jobs/${id}/cancel`, {})).status).toBe(200);
  }
  expect((await post('/jobs', { ...JOB, delay: '1h' }, 'plain')).body).toEqual(plain.body);
  const over = await post<{ state: string; id: string }>(
    '/jobs?wait=100ms',
    { ...JOB, delay: '1h' },
    'ended',
  );
  expect([over.status, over.body.id, over.body.state]).toEqual([200, first.body.id, 'cancelled']);

  const schedule = { name: 'taken', when: { every: '1h' }, job: JOB };
  expect((await post('/schedules', schedule, 'a')).status).toBe(201);
  const refused = await post('/schedules', schedule, 'b');
  expect(refused.body.code).toBe('schedule_exists');
  await api.http.call('DELETE', '/schedules/taken');
  const still = await post('/schedules', schedule, 'b');
  expect([still.status, still.body, wasRepeat(still)]).toEqual([409, refused.body, true]);
});

test('who goes away while it waits may come again at once', async () => {
  const gone = new AbortController();
  const body = { ...JOB, delay: '1h' };
  const headers = {
    authorization: `Bearer ${api.key}`,
    'content-type': 'application/json',
    'idempotency-key': 'gone',
  };
  const url = `${api.http.url}/api/v1/jobs?wait=20s`;
  const cut = fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: gone.signal });
  await waitUntil(
    'its job is there',
    async () => (await sql(`select 1 from answer where key = 'gone'`)).length > 0,
  );
  await waitUntil(
    'it waits',
    async () => (await post('/jobs', body, 'gone')).body.code === 'request_in_flight',
  );
  gone.abort();
  await expect(cut).rejects.toThrow();
  const again = await waitUntil('it is answered', async () => {
    const answer = await post('/jobs', body, 'gone');
    return answer.status === 202 ? answer : undefined;
  });
  expect(again.body.created).toBe(true);
});

test('a key belongs to one request of one caller, byte by byte', async () => {
  const { body } = await post('/jobs', JOB, 'mine');
  for (const [path, changed] of [
    ['/jobs', { ...JOB, input: { to: 'b' } }],
    ['/jobs', { input: JOB.input, task: JOB.task }],
    ['/schedules', { name: 'mine', when: { every: '1h' }, job: JOB }],
  ] as const)
    expect((await post(path, changed, 'mine')).body).toMatchObject({ status: 422, code: 'key_reused' });
  const secret = 'o'.repeat(43);
  const hash = createHash('sha256').update(secret).digest('hex');
  const theirKey = {
    id: 'other',
    hash,
    name: 'other',
    role: 'operator',
    payloads: true,
    createdAt: Date.now(),
  } as const;
  await createApiKey(api.db, theirKey);
  const theirs = await post('/jobs', JOB, 'mine', api.as(`jb_other_${secret}`));
  expect([theirs.status, wasRepeat(theirs)]).toEqual([202, false]);
  expect(theirs.body.id).not.toBe(body.id);
});

test('whatever dies between the effect and its answer: the repeat makes nothing twice, and answers the same', async () => {
  const whole = (body: object) => body;
  const twice = async (path: string, body: object, count: () => Promise<number>, pick = whole) => {
    const key = randomUUID();
    const before = await count();
    const first = await post<object>(path, body, key);
    expect(first.status, JSON.stringify(first.body)).toBeLessThan(300);
    const after = await count();
    expect(after).toBeGreaterThan(before);
    await forgetAnswer(key);
    const again = await post<object>(path, body, key, other);
    expect([again.status, pick(again.body)]).toEqual([first.status, pick(first.body)]);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(await count(), path).toBe(after);
    // By now it is kept.
    expect(wasRepeat(await post(path, body, key))).toBe(true);
    return first.body;
  };
  const rows = (table: string) => async () =>
    Number((await sql(`select count(*) as n from ${table}`))[0]?.['n']);
  const withAudit = (table: string) => async () => (await rows(table)()) + (await rows('audit')());

  const { id } = (await twice('/jobs', JOB, rows('job'))) as JobAccepted;
  await twice('/jobs', { ...JOB, uniqueKey: 'one' }, rows('job'));
  await api.http.call('POST', `/jobs/${id}/cancel`, {});
  await twice(`/jobs/${id}/retry`, {}, withAudit('job'));
  expect(await jobs('task=report.send')).toContainEqual(expect.objectContaining({ retryOf: id }));
  const schedule = (name: string) => ({ name, when: { cron: '0 * * * *' }, job: JOB });
  await twice('/schedules', schedule('one'), withAudit('schedule'));
  await twice('/schedules/batch', { schedules: [schedule('two'), schedule('three')] }, withAudit('schedule'));
  await twice('/schedules/one/trigger', {}, withAudit('occurrence'));
  const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-01T05:00:00Z' };
  await twice('/schedules/one/backfill', range, withAudit('occurrence'));
  await twice('/schedules/one/pause', { note: 'x' }, rows('audit'));
  // How long the oldest waits is of the moment.
  const settings = (body: object) => ({ ...body, oldestMs: 0, waiting: 0, held: 0 });
  await twice('/queues/default/pause', {}, rows('audit'), settings);
});

test('PostgreSQL forgets an answer after a day, and a key of yesterday is a new one', async () => {
  const one = await post('/jobs', JOB, 'day');
  await sql(
    `update answer set at = at - interval '25 hours', lease_until = lease_until - interval '25 hours' where key = 'day'`,
  );
  const next = await post('/jobs', { ...JOB, input: { to: 'z' } }, 'day');
  expect([next.status, wasRepeat(next)]).toEqual([202, false]);
  expect(next.body.id).not.toBe(one.body.id);

  const schedule = { name: 'nightly', when: { cron: '0 3 * * *' }, job: JOB };
  expect((await post('/schedules', schedule, 'nightly')).status).toBe(201);
  const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' };
  for (const [verb, body] of [
    ['trigger', {}],
    ['backfill', range],
  ] as const) {
    const ask = () => post<object>(`/schedules/nightly/${verb}`, body, verb);
    const before = await ask();
    expect(await ask()).toMatchObject({ status: 202, body: before.body });
    await sql(
      `update answer set at = at - interval '25 hours', lease_until = lease_until - interval '25 hours' where key = '${verb}'`,
    );
    const after = await ask();
    expect([after.status, wasRepeat(after)], verb).toEqual([202, false]);
    expect(after.body, verb).not.toEqual(before.body);
  }
});

test('a scheduler takes away what is kept for too long: answers after a day, the audit log after its time', async () => {
  await sql(`update answer set at = at - interval '25 hours' where key = 'plain'`);
  await sql(`insert into audit (at, actor_kind, actor_id, actor_name, actor_role, action, target_kind, target_id)
    select now() - d * interval '1 day', 'key', 'old', 'old', 'admin', 'queue.pause', 'queue', 'day ' || d
    from unnest('{399, 401}'::int[]) as d`);
  const scheduler = await startScheduler({ namespace: testNamespace(), databaseUrl: api.databaseUrl });
  const left = async () => [
    ...(await sql(`select 1 from answer where key = 'plain'`)),
    ...(await sql(`select target_id from audit where actor_id = 'old'`)),
  ];
  await waitUntil('they are gone', async () => (await left()).length === 1);
  expect(await left()).toEqual([{ target_id: 'day 399' }]);
  await scheduler.stop();
});
