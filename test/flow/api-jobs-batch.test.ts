import type { JobsAccepted } from '@jetbeat/core/http';
import { MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type ProblemJson, startTestApi, type TestApi } from '../support/api.ts';
import type { Http } from '../support/http.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.workerIsAlive('worker-1');
});
afterAll(() => api?.stop());

const post = async (jobs: readonly object[], headers: Record<string, string> = {}, http: Http = api.http) =>
  http.call<JobsAccepted>('POST', '/jobs/batch', { jobs }, headers);
const idsOf = ({ items }: JobsAccepted) => items.map((item) => ('id' in item ? item.id : ''));

test('a thousand jobs are accepted at once, each with an id of its own, and published', async () => {
  const { status, body } = await post(
    Array.from({ length: 1_000 }, (_, n) => ({ task: 'a.b', input: { n }, queue: `q${n % 2}` })),
  );
  expect([status, body.accepted, body.refused]).toEqual([202, 1_000, 0]);
  const ids = idsOf(body);
  expect(new Set(ids).size).toBe(1_000);
  expect(body.warnings).toHaveLength(2);
  for (const n of [0, 499, 999])
    expect(await api.published(ids[n] ?? '')).toMatchObject({ input: { n }, queue: `q${n % 2}` });
});

test('each is accepted or refused by itself, with the place of what is wrong', async () => {
  const { status, body } = await post([
    { task: 'report.send', input: { to: 'a@example.org' } },
    { task: 'report.send', input: { to: 7 } },
    { task: 'a.b', input: null, delay: '1h' },
    { task: 'a.b', input: null, delay: '1h', runAt: '2030-01-01T00:00:00Z' },
    { task: 'a.b', input: 'x'.repeat(100), uniqueKey: 'one' },
    { task: 'a.b', input: null, uniqueKey: 'one' },
  ]);
  const own = { id: expect.any(String), created: true };
  expect([status, body]).toMatchObject([
    202,
    {
      accepted: 4,
      refused: 2,
      items: [
        { ...own, state: 'queued' },
        { error: { code: 'invalid_input', status: 422, errors: [{ pointer: '/jobs/1/input/to' }] } },
        { ...own, state: 'scheduled' },
        { error: { code: 'invalid_request', status: 400, errors: [{ pointer: '/jobs/3/delay' }] } },
        own,
        { created: false, state: 'queued' },
      ],
    },
  ]);
  const ids = idsOf(body);
  expect(ids[5]).toBe(ids[4]);
});

test('where none is accepted it is a problem, and a body that is none is refused as a whole', async () => {
  const wrong = await api.http.call<ProblemJson>('POST', '/jobs/batch', {
    jobs: [{ task: 'report.send', input: {} }],
  });
  expect(wrong).toMatchObject({
    status: 422,
    body: { code: 'invalid_input', errors: [{ pointer: '/jobs/0/input/to' }] },
  });
  const many = Array.from({ length: 1_001 }, () => ({ task: 'a.b', input: null }));
  for (const [body, pointer] of [
    [{ jobs: [] }, '/jobs'],
    [{ jobs: many }, '/jobs'],
    [
      {
        jobs: [
          { task: 'a.b', input: null },
          { task: 'a.b', inptu: 1 },
        ],
      },
      '/jobs/1/inptu',
    ],
    [{}, '/jobs'],
  ] as const) {
    const { status, body: problem } = await api.http.call<ProblemJson>('POST', '/jobs/batch', body);
    expect([status, problem.code]).toEqual([400, 'invalid_request']);
    expect(problem.errors.map((error) => error.pointer)).toContain(pointer);
  }
  const { body } = await api.http.call<{ items: unknown[] }>('GET', '/jobs?task=report.send&state=queued');
  expect(body.items).toHaveLength(1);
});

/** As a process leaves it that dies when it has stored the jobs, and not yet its answer. */
async function loseAnswer(key: string): Promise<void> {
  const orm = new MikroORM({
    clientUrl: api.databaseUrl,
    entities: [],
    discovery: { warnWhenNoEntities: false },
  });
  onTestFinished(() => orm.close(true));
  const forget = `update answer set status = null, headers = null, body = null, lease_until = at where key = '${key}'`;
  await orm.em.fork().execute(forget);
}

test('the same key again makes nothing twice, also where the first answer was lost', async () => {
  const jobs = [
    { task: 'a.twice', input: 1 },
    { task: 'a.twice', input: 2 },
  ];
  const key = { 'idempotency-key': 'batch-1' };
  const first = await post(jobs, key);
  const again = await post(jobs, key);
  expect(again.body).toEqual(first.body);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(await api.http.call('POST', '/jobs/batch', { jobs: jobs.slice(1) }, key)).toMatchObject({
    status: 422,
    body: { code: 'key_reused' },
  });
  await loseAnswer('batch-1');
  const repeated = await post(jobs, key);
  expect(repeated.body).toEqual(first.body);
  expect(repeated.headers.get('idempotent-replayed')).toBeNull();
  const { body } = await api.http.call<{ items: unknown[] }>('GET', '/jobs?task=a.twice');
  expect(body.items).toHaveLength(2);
});

test('a repeat finds the jobs that were made without a check of their inputs, so that it comes to the others', async () => {
  const jobs = [
    { task: 'report.later', input: 'as it was' },
    { task: 'report.later', input: 'likewise', uniqueKey: 'later' },
  ];
  const key = { 'idempotency-key': 'batch-2' };
  const first = await post(jobs, key);
  expect(first.body.accepted).toBe(2);
  await api.workerIsAlive('worker-2', [
    { name: 'report.later', queue: 'reports', inputSchema: { type: 'number' } },
  ]);
  // As soon as this API knows of it.
  await expect.poll(async () => (await post(jobs)).status).toBe(422);
  await loseAnswer('batch-2');
  expect((await post(jobs, key)).body.items).toEqual(first.body.items);
});

test('a key for some queues is refused what would go into another one, and that alone', async () => {
  const made = await api.http.call<{ key: string }>('POST', '/api-keys', {
    name: 'mine',
    role: 'operator',
    queues: ['mine'],
  });
  const mine = api.as(made.body.key);
  const { status, body } = await post(
    [
      { task: 'a.b', input: null, queue: 'mine' },
      { task: 'a.b', input: null, queue: 'other' },
    ],
    {},
    mine,
  );
  expect([status, body]).toMatchObject([
    202,
    { items: [{ created: true }, { error: { code: 'queue_not_allowed', status: 403 } }] },
  ]);
});
