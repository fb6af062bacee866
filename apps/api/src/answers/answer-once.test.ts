import { Readable } from 'node:stream';
import { DatabaseUnavailableError } from '@jetbeat/postgres';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { tooManyBatches } from '../batches/find-batch.ts';
import { ApiError } from '../problems/problem.ts';
import { createTestServer, SECRET, type TestServer } from '../test-server.ts';
import { createOnceApp, type TestAnswers, testAnswers } from './answers.fixture.ts';

const JOB = { task: 'a.b', input: 1 };
let server: TestServer;
let answers: TestAnswers;
beforeAll(async () => {
  server = await createTestServer();
});
beforeEach(() => {
  answers = testAnswers();
  server.use({ answers });
});
afterAll(() => server.app.close());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  server.call<Record<string, unknown>>(`POST ${path}`, body, { 'idempotency-key': 'k', ...headers });

test('without a key nobody is asked, and nothing is kept', async () => {
  expect((await server.call('POST /jobs', JOB)).status).toBe(202);
  expect([answers.asked, answers.settled]).toEqual([[], []]);
});

test('with a key the answer is kept with the headers that belong to it, and the id is of the key', async () => {
  const [one, two] = [await post('/jobs', JOB), await post('/jobs', JOB)];
  expect(one.status).toBe(202);
  expect(two.body).toEqual(one.body);
  expect(String(one.body['id'])).toMatch(/^00000000-03e8-7/);
  expect(answers.settled[0]).toEqual({
    status: 202,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      location: `/api/v1/jobs/${one.body['id']}`,
    },
    body: JSON.stringify(one.body),
  });
  const other = await post('/jobs', JOB, { 'idempotency-key': 'other' });
  expect(other.body['id']).not.toBe(one.body['id']);
});

test('a kept answer is given again as it was, also an error, and nothing is done', async () => {
  const body = '{"code":"schedule_exists"}';
  const headers = { 'content-type': 'application/problem+json; charset=utf-8', location: '/x' };
  answers.next = { is: 'answered', answer: { status: 409, headers, body } };
  const insertJob = async () => Promise.reject(new Error('it is done again'));
  server.use({ answers, insertJob });
  const answer = await post('/jobs', JOB);
  expect([answer.status, answer.body]).toEqual([409, JSON.parse(body)]);
  expect(answer.headers).toMatchObject({ ...headers, 'idempotent-replayed': 'true' });
  answers.next = { is: 'answered', answer: { status: 204, headers: {}, body: '' } };
  expect((await post('/jobs', JOB)).status).toBe(204);
  expect(answers.settled).toEqual([]);
});

test('one that is being answered, and one whose key came with another request, are refused', async () => {
  answers.next = { is: 'busy', claim: 'x', forMs: 59_000 };
  const busy = await post('/jobs', JOB);
  expect(busy.body).toMatchObject({ status: 409, code: 'request_in_flight' });
  expect(busy.headers['retry-after']).toBe('1');
  answers.next = { is: 'other' };
  expect((await post('/jobs', JOB)).body).toMatchObject({ status: 422, code: 'key_reused' });
  expect(answers.settled).toEqual([]);
});

test('what makes it another request: method, address, options, the bytes of the body, and who may do what; not how long it waits', async () => {
  const key = { 'idempotency-key': 'k', 'content-type': 'application/json' };
  const send = (path: string, body: string, id = 'admin') =>
    server.call(`POST ${path}`, body, { ...key, authorization: `Bearer jb_${id}_${SECRET}` });
  const plain = '{"task":"a.b","input":1}';
  await send('/jobs', plain);
  await send('/jobs?wait=1ms', plain);
  await send('/jobs', '{"task":"a.b", "input":1}');
  await send('/schedules', '{"name":"a","when":{"every":"1h"},"job":{"task":"a","input":1}}');
  await send('/schedules', '{"name":"a","when":{"every":"2h"},"job":{"task":"a","input":1}}');
  await send('/jobs', plain, 'operator');
  const prints = answers.asked.map((one) => one.asked);
  expect(prints[1]).toBe(prints[0]);
  expect(new Set(prints).size).toBe(5);
  expect(answers.asked.map(({ caller }) => caller)).toEqual([...Array(5).fill('admin'), 'operator']);
});

test('what is wrong before anything is asked for takes no key', async () => {
  expect((await post('/jobs', { task: 'a b' })).status).toBe(400);
  expect((await post('/jobs', JOB, { 'idempotency-key': 'a b' })).body).toMatchObject({
    status: 400,
    errors: [{ pointer: 'idempotency-key' }],
  });
  expect((await post('/jobs', JOB, { authorization: `Bearer jb_viewer_${SECRET}` })).status).toBe(403);
  const get = await server.call('GET /jobs', undefined, { 'idempotency-key': 'k' });
  expect(get.body).toMatchObject({ errors: [{ pointer: 'idempotency-key', code: 'unknown_field' }] });
  const put = await server.call('PUT /queues/q', {}, { 'idempotency-key': 'k' });
  expect(put.body).toMatchObject({ errors: [{ pointer: 'idempotency-key', code: 'unknown_field' }] });
  expect(answers.asked).toEqual([]);
});

test('our own failures, and what may be otherwise in a moment, are not kept; refusals are', async () => {
  const failing = (error: Error) => server.use({ answers, insertJob: () => Promise.reject(error) });
  failing(new DatabaseUnavailableError('gone'));
  expect((await post('/jobs', JOB)).status).toBe(503);
  failing(new Error('unexpected'));
  expect((await post('/jobs', JOB)).status).toBe(500);
  server.use({ answers, refusal: () => 'full' });
  expect((await post('/jobs', JOB)).status).toBe(503);
  server.use({ answers });
  // It was not over in time.
  expect((await post('/jobs?wait=1ms', JOB)).status).toBe(202);
  expect(answers.settled).toEqual([undefined, undefined, undefined, undefined]);
  expect((await post('/jobs', { ...JOB, delay: '1h', runAt: '2030-01-01T00:00:00Z' })).status).toBe(400);
  expect(answers.settled[4]).toMatchObject({
    status: 400,
    headers: { 'content-type': 'application/problem+json; charset=utf-8' },
  });
});

test('who is told to come again is not told the same for a day; of what stays as it is the answer is kept', async () => {
  const { app, ask } = createOnceApp(answers);
  let error: Error = tooManyBatches();
  app.setErrorHandler(async (_error, _request, reply) => reply.status(409).send('refused'));
  app.post('/x', async () => {
    throw error;
  });
  app.post('/later', async (_request, reply) => reply.status(409).header('retry-after', 1).send('later'));
  await ask('/x');
  const passing = ['worker_refuses', 'worker_gone', 'job_running', 'purge_changed', 'key_taken'] as const;
  for (const code of passing) {
    error = new ApiError(code, 'not now');
    await ask('/x');
  }
  await ask('/later');
  expect(answers.settled).toEqual(Array(7).fill(undefined));
  for (const code of ['schedule_exists', 'batch_ended', 'invalid_input'] as const) {
    error = new ApiError(code, 'no');
    await ask('/x');
  }
  expect(answers.settled.slice(7)).toEqual(
    Array(3).fill(expect.objectContaining({ status: 409, body: 'refused' })),
  );
  await app.close();
});

test('many jobs, none of them accepted: one that may be accepted in a moment is what is told, in any order, and is not kept', async () => {
  const wrong = { ...JOB, delay: '1h', runAt: '2030-01-01T00:00:00Z' };
  server.use({ answers, insertJob: () => Promise.reject(new DatabaseUnavailableError('gone')) });
  for (const jobs of [
    [wrong, JOB],
    [JOB, wrong],
  ]) {
    const { status, headers, body } = await post('/jobs/batch', { jobs });
    expect([status, body['code'], headers['retry-after']]).toEqual([503, 'database_unavailable', '2']);
  }
  expect(answers.settled).toEqual([undefined, undefined]);
  expect((await post('/jobs/batch', { jobs: [wrong] })).status).toBe(400);
  expect(answers.settled[2]).toMatchObject({ status: 400 });
});

test('of what changes nothing nothing is kept: it is simply done again', async () => {
  const when = { every: '1h' };
  for (const times of [1, 2])
    expect((await post('/schedules/preview', { when })).status, `${times}`).toBe(200);
  const dry = { dryRun: true };
  const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' };
  await post('/schedules/a/backfill', { ...range, ...dry });
  await post('/batches', { action: 'cancel', filter: { task: 'a' }, ...dry });
  await post('/dead-letters/replay', { filter: { task: 'a' }, ...dry });
  expect(answers.asked).toEqual([]);
  await post('/dead-letters/replay', { filter: { task: 'a' } });
  expect(answers.asked).toHaveLength(1);
  expect((await post('/schedules/preview', { when }, { 'idempotency-key': 'a b' })).status).toBe(400);
});

test('a job that was there already is that of the request itself, and is published by nobody twice', async () => {
  const published: unknown[] = [];
  server.use({ answers, insertJob: async () => 'existed', publish: (job) => void published.push(job) });
  const answer = await post('/jobs', JOB);
  expect(answer.body).toMatchObject({ created: true });
  expect([answer.headers['idempotent-replayed'], published]).toEqual(['true', []]);
});

test('what is too large, or a stream, is not kept; of what is told once only that it was', async () => {
  const { app, ask } = createOnceApp(answers);
  app.post('/large', async () => 'x'.repeat(262_145));
  app.post('/stream', async (_request, reply) => reply.send(Readable.from(['x'])));
  app.post('/secret', { config: { toldOnce: true } }, async (_request, reply) =>
    reply.status(201).header('location', '/keys/1').send({ secret: 'CANARY' }),
  );
  for (const url of ['/large', '/stream', '/secret']) {
    expect((await ask(url)).statusCode).toBeLessThan(300);
  }
  await app.close();
  expect(answers.settled).toEqual([
    undefined,
    undefined,
    {
      status: 409,
      headers: { 'content-type': 'application/problem+json', location: '/keys/1' },
      body: expect.stringMatching(/"code":"told_once"/),
    },
  ]);
  expect(JSON.stringify(answers.settled)).not.toContain('CANARY');
});
