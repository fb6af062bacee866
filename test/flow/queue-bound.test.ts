import type { Queue } from '@jetbeat/core/http';
import { defineTask } from '@jetbeat/task';
import Type from 'typebox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProblemJson, startTestApi, type TestApi } from '../support/api.ts';
import { type LimitedNats, startLimitedNats } from '../support/limited-nats.ts';
import { waitUntil } from '../support/wait-until.ts';

/** The consumers of the queue that is configured, and of one more. */
const ROOM = 12;
const noop = defineTask({ name: 'test.noop', input: Type.Object({}), run: async () => ({}) });

let nats: LimitedNats;
let api: TestApi;
/** Nobody makes anything anew beside it. */
let alone: TestApi;
beforeAll(async () => {
  nats = await startLimitedNats({ maxConsumers: ROOM });
  [api, alone] = await Promise.all([startTestApi({ nats: nats.url }), startTestApi({ nats: nats.url })]);
}, 60_000);
afterAll(async () => {
  await Promise.all([api?.stop(), alone?.stop()]);
  await nats?.stop();
}, 60_000);

const put = (name: string, body: object) =>
  api.http.call<Queue & ProblemJson>('PUT', `/queues/${name}`, body);

test('a queue for which NATS has no room is stored and said to be so, and takes nothing else with it', async () => {
  expect((await put('second', { maxDepth: 5 })).status).toBe(201);
  for (const maxDepth of [6, 6, 7]) {
    const { status, headers, body } = await put('a-third', { maxDepth });
    expect({ status, retryAfter: headers.get('retry-after'), code: body.code }).toEqual({
      status: 503,
      retryAfter: '60',
      code: 'queue_unmade',
    });
    expect(body.detail).toMatch(
      /^the settings of the queue are stored, but .*the queue a-third: .*max_consumers/,
    );
  }
  expect((await api.http.call<Queue>('GET', '/queues/a-third')).body).toMatchObject({
    maxDepth: 7,
    version: 2,
  });
  const count = await api.http.call<ProblemJson>('POST', '/queues/a-third/purge', {});
  expect([count.status, count.body.code]).toEqual([503, 'queue_unmade']);

  // It comes first by its name: the recorder starts, and looks after the others.
  await api.record();
  const done = api.work({ queues: ['second'], tasks: [noop] });
  const { id } = await api.enqueue({ task: 'test.noop', queue: 'second', input: {} });
  const worker = await done;
  const waited = await api.http.call<{ state: string }>('GET', `/jobs/${id}?wait=10s`);
  expect(waited.body.state).toBe('succeeded');

  await expect(api.work({ queues: ['second', 'a-third'], tasks: [noop] })).rejects.toMatchObject({
    code: 'nats_unfit',
    message: expect.stringContaining('no worker can take jobs from the queue a-third: '),
  });
  const told = await api.http.call<ProblemJson>('POST', `/workers/${worker}/queues`, { add: ['a-third'] });
  expect([told.status, told.body.detail]).toEqual([
    409,
    expect.stringMatching(/nothing was changed: no worker can take jobs from the queue a-third: /),
  ]);
}, 60_000);

test('a queue that nobody uses can be deleted, which gives room for another; jobs that come for it wait for a worker', async () => {
  const { http } = alone;
  const problem = async (name: string, headers = {}) => {
    const { status, body } = await http.call<ProblemJson>('DELETE', `/queues/${name}`, undefined, headers);
    return [status, body?.code, body?.detail];
  };
  await alone.workerIsAlive('w1');
  expect(await problem('nowhere')).toMatchObject([404, 'queue_not_found', expect.any(String)]);
  expect(await problem('reports')).toMatchObject([
    ...[409, 'queue_in_use'],
    'the queue reports is in use: the worker w1 takes jobs from it: tell it not to (POST /api/v1/workers/w1/queues {"remove": ["reports"]})',
  ]);
  expect(await problem('default')).toMatchObject([
    409,
    'queue_in_use',
    expect.stringContaining('configuration'),
  ]);

  expect((await http.call('PUT', '/queues/one', { concurrency: 1 })).status).toBe(201);
  expect((await http.call('PUT', '/queues/other', { maxDepth: 1 })).status).toBe(503);
  const { id } = await alone.enqueue({ task: 'test.noop', queue: 'one', input: {} });
  await alone.published(id);
  expect(await problem('one')).toMatchObject([409, 'queue_in_use', expect.stringContaining('has jobs')]);
  await http.call('POST', `/jobs/${id}/cancel`, {});
  await waitUntil(
    'the job is gone',
    async () => (await problem('one', { 'if-match': '"7"' }))[1] === 'queue_changed',
  );
  expect((await http.call<{ onlyHistory?: true }>('GET', '/queues/one')).body.onlyHistory).toBeUndefined();
  expect(await problem('one', { 'if-match': '"1"' })).toEqual([204, undefined, undefined]);
  await waitUntil('nothing but history is left', async () => {
    const { status, body } = await http.call<{ onlyHistory?: true }>('GET', '/queues/one');
    return status === 200 && body.onlyHistory;
  });
  const { body: audit } = await http.call<{ items: { action: string; before: object }[] }>(
    'GET',
    '/audit?target=queue:one&limit=1',
  );
  expect(audit.items).toMatchObject([{ action: 'queue.delete', before: { version: 1, concurrency: 1 } }]);
  expect((await http.call('PUT', '/queues/other', { maxDepth: 1 })).status).toBe(200);

  const again = await alone.enqueue({ task: 'test.noop', queue: 'one', input: {} });
  await alone.published(again.id);
  expect(await problem('other')).toEqual([204, undefined, undefined]);
  await alone.record();
  await alone.work({ queues: ['one'], tasks: [noop] });
  const { body: done } = await http.call<{ state: string }>('GET', `/jobs/${again.id}?wait=10s`);
  expect(done.state).toBe('succeeded');
}, 60_000);
