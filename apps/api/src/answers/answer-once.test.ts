import { Readable } from 'node:stream';
import { type AskedOnce, DatabaseUnavailableError, type KeptAnswer } from '@jetbeat/postgres';
import Fastify, { type FastifyReply } from 'fastify';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { tooManyBatches } from '../batches/find-batch.ts';
import { ApiError } from '../problems/problem.ts';
import { createTestServer, NOW, SECRET, type TestServer } from '../test-server.ts';
import { answerOnce } from './answer-once.ts';
import { timedId } from './asked-id.ts';
import type { KeptAnswers, OwnRequest } from './kept-answers.ts';

const JOB = { task: 'a.b', input: 1 };
let server: TestServer;
let asked: AskedOnce[];
let settled: (KeptAnswer | undefined)[];
let next: Partial<OwnRequest> | Awaited<ReturnType<KeptAnswers['claim']>>;
const answers: KeptAnswers = {
  async claim(one) {
    asked.push(one);
    return 'is' in next ? next : { ...one, claim: 'c', at: 1_000, again: false, ...next };
  },
  async settle(_own, answer) {
    settled.push(answer);
  },
};
beforeAll(async () => {
  server = await createTestServer();
});
beforeEach(() => {
  asked = [];
  settled = [];
  next = {};
  server.use({ answers });
});
afterAll(() => server.app.close());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  server.call<Record<string, unknown>>(`POST ${path}`, body, { 'idempotency-key': 'k', ...headers });

test('without a key nobody is asked, and nothing is kept', async () => {
  expect((await server.call('POST /jobs', JOB)).status).toBe(202);
  expect([asked, settled]).toEqual([[], []]);
});

test('with a key the answer is kept with the headers that belong to it, and the id is of the key', async () => {
  const [one, two] = [await post('/jobs', JOB), await post('/jobs', JOB)];
  expect(one.status).toBe(202);
  expect(two.body).toEqual(one.body);
  expect(String(one.body['id'])).toMatch(/^00000000-03e8-7/);
  expect(settled[0]).toEqual({
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
  next = { is: 'answered', answer: { status: 409, headers, body } };
  const insertJob = async () => Promise.reject(new Error('it is done again'));
  server.use({ answers, insertJob });
  const answer = await post('/jobs', JOB);
  expect([answer.status, answer.body]).toEqual([409, JSON.parse(body)]);
  expect(answer.headers).toMatchObject({ ...headers, 'idempotent-replayed': 'true' });
  next = { is: 'answered', answer: { status: 204, headers: {}, body: '' } };
  expect((await post('/jobs', JOB)).status).toBe(204);
  expect(settled).toEqual([]);
});

test('one that is being answered, and one whose key came with another request, are refused', async () => {
  next = { is: 'busy', claim: 'x', forMs: 59_000 };
  const busy = await post('/jobs', JOB);
  expect(busy.body).toMatchObject({ status: 409, code: 'request_in_flight' });
  expect(busy.headers['retry-after']).toBe('1');
  next = { is: 'other' };
  expect((await post('/jobs', JOB)).body).toMatchObject({ status: 422, code: 'key_reused' });
  expect(settled).toEqual([]);
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
  const prints = asked.map((one) => one.asked);
  expect(prints[1]).toBe(prints[0]);
  expect(new Set(prints).size).toBe(5);
  expect(asked.map(({ caller }) => caller)).toEqual([...Array(5).fill('admin'), 'operator']);
});

test('what is wrong before anything is asked for takes no key', async () => {
  expect((await post('/jobs', { task: 'a b' })).status).toBe(400);
  expect((await post('/jobs', JOB, { 'idempotency-key': 'a b' })).body).toMatchObject({
    ...{ status: 400, errors: [{ pointer: 'idempotency-key' }] },
  });
  expect((await post('/jobs', JOB, { authorization: `Bearer jb_viewer_${SECRET}` })).status).toBe(403);
  const get = await server.call('GET /jobs', undefined, { 'idempotency-key': 'k' });
  expect(get.body).toMatchObject({ errors: [{ pointer: 'idempotency-key', code: 'unknown_field' }] });
  const put = await server.call('PUT /queues/q', {}, { 'idempotency-key': 'k' });
  expect(put.body).toMatchObject({ errors: [{ pointer: 'idempotency-key', code: 'unknown_field' }] });
  expect(asked).toEqual([]);
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
  expect(settled).toEqual([undefined, undefined, undefined, undefined]);
  expect((await post('/jobs', { ...JOB, delay: '1h', runAt: '2030-01-01T00:00:00Z' })).status).toBe(400);
  expect(settled[4]).toMatchObject({
    ...{ status: 400, headers: { 'content-type': 'application/problem+json; charset=utf-8' } },
  });
});

test('who is told to come again is not told the same for a day; of what stays as it is the answer is kept', async () => {
  const app = Fastify();
  app.addHook('onRequest', async (request) => {
    request.caller = { kind: 'key', id: 'a', hash: '', name: 'a', role: 'admin', payloads: true };
  });
  app.decorateRequest<string | null>('bodyHash', null);
  answerOnce(app, answers);
  let error: Error = tooManyBatches();
  app.setErrorHandler(async (_error, _request, reply) => reply.status(409).send('refused'));
  app.post('/x', async () => {
    throw error;
  });
  app.post('/later', async (_request, reply) => reply.status(409).header('retry-after', 1).send('later'));
  const ask = (url: string) => app.inject({ method: 'POST', url, headers: { 'idempotency-key': 'k' } });
  await ask('/x');
  const passing = ['worker_refuses', 'worker_gone', 'job_running', 'purge_changed', 'key_taken'] as const;
  for (const code of passing) {
    error = new ApiError(code, 'not now');
    await ask('/x');
  }
  await ask('/later');
  expect(settled).toEqual(Array(7).fill(undefined));
  for (const code of ['schedule_exists', 'batch_ended', 'invalid_input'] as const) {
    error = new ApiError(code, 'no');
    await ask('/x');
  }
  expect(settled.slice(7)).toEqual(Array(3).fill(expect.objectContaining({ status: 409, body: 'refused' })));
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
  expect(settled).toEqual([undefined, undefined]);
  expect((await post('/jobs/batch', { jobs: [wrong] })).status).toBe(400);
  expect(settled[2]).toMatchObject({ status: 400 });
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
  expect(asked).toEqual([]);
  await post('/dead-letters/replay', { filter: { task: 'a' } });
  expect(asked).toHaveLength(1);
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
  const app = Fastify();
  const caller = { kind: 'key', id: 'a', name: 'a', role: 'admin', payloads: true } as const;
  app.addHook('onRequest', async (request) => {
    request.caller = caller;
  });
  app.decorateRequest<string | null>('bodyHash', null);
  answerOnce(app, answers);
  app.post('/large', async () => 'x'.repeat(262_145));
  app.post('/stream', async (_request, reply) => reply.send(Readable.from(['x'])));
  app.post('/secret', { config: { toldOnce: true } }, async (_request, reply) =>
    reply.status(201).header('location', '/keys/1').send({ secret: 'CANARY' }),
  );
  for (const url of ['/large', '/stream', '/secret']) {
    const answer = await app.inject({ method: 'POST', url, headers: { 'idempotency-key': 'k' } });
    expect(answer.statusCode).toBeLessThan(300);
  }
  await app.close();
  expect(settled).toEqual([
    undefined,
    undefined,
    {
      status: 409,
      headers: { 'content-type': 'application/problem+json', location: '/keys/1' },
      body: expect.stringMatching(/"code":"told_once"/),
    },
  ]);
  expect(JSON.stringify(settled)).not.toContain('CANARY');
});

test('while a handler goes on whose time is over, the request is nobody else’s, and its ids stay those of its key', async () => {
  const app = Fastify();
  let given: FastifyReply | undefined;
  app.addHook('onRequest', async (request, reply) => {
    request.caller = { kind: 'key', id: 'a', name: 'a', role: 'admin', payloads: true };
    given = reply;
  });
  app.decorateRequest<string | null>('bodyHash', null);
  answerOnce(app, answers);
  const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const made = Promise.withResolvers<string>();
  app.post('/x', async (request) => {
    begun.resolve();
    await gate.promise;
    made.resolve(timedId(request, NOW)('x'));
    throw new Error('nobody hears of this');
  });
  const answer = app.inject({ method: 'POST', url: '/x', headers: { 'idempotency-key': 'k' } });
  await begun.promise;
  given?.send(new ApiError('timed_out', 'not in time'));
  expect((await answer).statusCode).toBe(500);
  expect(settled).toEqual([]);
  gate.resolve();
  expect(await made.promise).toMatch(/^00000000-03e8-7/);
  await vi.waitFor(() => expect(settled).toEqual([undefined]));
  await app.close();
});

test('an answer that is late is not given twice, and what was late before it began is not begun', async () => {
  const app = Fastify();
  const caller = { kind: 'key', id: 'a', name: 'a', role: 'admin', payloads: true } as const;
  let reply: FastifyReply | undefined;
  app.addHook('onRequest', async (request, given) => {
    request.caller = caller;
    reply = given;
  });
  app.decorateRequest<string | null>('bodyHash', null);
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const wait = () => {
    reached.resolve();
    return gate.promise;
  };
  let late: Partial<KeptAnswers> = {};
  answerOnce(app, {
    claim: (one) => (late.claim ?? answers.claim)(one),
    settle: (...given) => (late.settle ?? answers.settle)(...given),
  });
  let begun = 0;
  app.post('/x', async () => ++begun && 'done');
  const post = () => app.inject({ method: 'POST', url: '/x', headers: { 'idempotency-key': 'k' } });

  late = { settle: wait };
  const first = post();
  await reached.promise;
  reply?.send(new Error('late'));
  expect((await first).statusCode).toBe(500);
  gate.resolve();
  await gate.promise;
  expect(begun).toBe(1);

  const asking = Promise.withResolvers<void>();
  const claimed = Promise.withResolvers<void>();
  late = {
    async claim(one) {
      asking.resolve();
      await claimed.promise;
      return answers.claim(one);
    },
  };
  const second = post();
  await asking.promise;
  reply?.send(new Error('late'));
  expect((await second).statusCode).toBe(500);
  claimed.resolve();
  await vi.waitFor(() => expect(settled).toEqual([undefined]));
  expect(begun).toBe(1);
  await app.close();
});
