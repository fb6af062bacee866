import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect } from '@jetbeat/client';
import type { Job } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ENDS } from '../support/http.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type Received, startWebReceiver, type WebReceiver } from '../support/web-receiver.ts';
import { defined, note, works } from './callback-tasks.ts';

const SECRET = 'a secret of some length';
const file = (url: string) => `
webhooks: { secrets: { hook: { secret: "${SECRET}" } } }
queues:
  mail: { onFailure: { task: call.note, input: { said: queue } } }
tasks:
  "configured.*": { onFailure: [{ task: call.note, input: { said: configuration } }] }
notifications:
  - { on: dead, queue: watched, webhook: { url: "${url}/notice", secret: hook }, rate: { limit: 2, period: 4s } }
  - { on: [dead, expired], task: "*.slow", email: { to: ops@example.org } }
`;

let dir: string;
let receiver: WebReceiver;
let stack: Stack;
let client: Client;

beforeAll(async () => {
  receiver = await startWebReceiver();
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-callbacks-'));
  await writeFile(join(dir, 'jetbeat.yaml'), file(receiver.url));
  stack = await startStack({ env: { JETBEAT_CONFIG: join(dir, 'jetbeat.yaml') } });
  const env = {
    JETBEAT_TASKS: join(import.meta.dirname, 'callback-tasks.ts'),
    JETBEAT_QUEUES: 'default,mail,watched',
  };
  const others = (['api', 'recorder', 'scheduler'] as const).map((name) => stack.start(name));
  await Promise.all([...others, stack.start('worker', { env })]);
  client = await connect({ servers: stack.nats.url });
}, 120_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  receiver?.stop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const post = (body: object) => stack.http.post(body);
const end = (id: string) => stack.http.ended(id);
/** The jobs that this one has called, when they have ended. */
const calledBy = (id: string, count = 1) =>
  waitUntil('its callbacks have ended', async () => {
    const { callbacks = [] } = (await stack.http.job(id)) as unknown as Job;
    if (callbacks.length !== count || callbacks.some(({ state }) => !ENDS.includes(state))) return undefined;
    return Promise.all(callbacks.map(({ id: called }) => end(called)));
  });
const listed = async (query: string) =>
  (await stack.http.call<{ items: Job[] }>('GET', `/jobs?${query}`)).body.items;

test('after a success the callback of the call is told of it; both lead to each other', async () => {
  const onSuccess = { task: 'call.note', input: { mine: 1 } };
  const id = await post({ task: 'call.works', input: null, meta: { tenant: 'a' }, onSuccess });
  const [called] = await calledBy(id);
  expect(called).toMatchObject({ task: 'call.note', state: 'succeeded', parent: id });
  expect(called?.input).toEqual({
    mine: 1,
    parent: {
      id,
      task: 'call.works',
      queue: 'default',
      state: 'succeeded',
      attempt: 1,
      meta: { tenant: 'a' },
      result: { made: 7 },
      createdAt: expect.any(String),
      finishedAt: expect.any(String),
    },
  });
  const { createdAt, finishedAt } = await end(id);
  expect(called?.input).toMatchObject({ parent: { createdAt, finishedAt } });
});

test('after a failure it is told of the error; what is passed as it is, is', async () => {
  const onFailure = [{ task: 'call.note' }, { task: 'call.note', pass: false, input: [1] }];
  const id = await post({ task: 'call.fails', input: null, onFailure, onSuccess: { task: 'call.works' } });
  const called = await calledBy(id, 2);
  expect(called.map(({ input }) => input)).toMatchObject([
    {
      parent: {
        id,
        state: 'dead',
        reason: { code: 'attempts_used_up' },
        error: { name: 'Error', code: 'broken', message: 'it is broken' },
      },
    },
    [1],
  ]);
});

test('a program says it with tasks, a schedule and a task itself say it too', async () => {
  const enqueued = await client.enqueue(works, null, { onSuccess: { task: note, priority: 'high' } });
  await waitUntil('history knows it', () => stack.http.job(enqueued.id));
  expect(await calledBy(enqueued.id)).toMatchObject([{ task: 'call.note', priority: 'high' }]);
  for (const [input, state] of [
    [1, 'succeeded'],
    ['fail', 'dead'],
  ] as const) {
    const { id } = await client.enqueue(defined, input);
    await waitUntil('history knows it', () => stack.http.job(id));
    expect(await calledBy(id)).toMatchObject([{ input: { said: 'task', parent: { state } } }]);
  }
  const at = new Date(Date.now() + 1_000).toISOString();
  const job = { task: 'call.works', input: null, onSuccess: [{ task: 'call.note' }] };
  expect(await stack.http.call('POST', '/schedules', { name: 's', when: { at }, job })).toMatchObject({
    status: 201,
    body: { job },
  });
  const fired = await waitUntil('it has fired', async () => (await listed('schedule=s&state=succeeded'))[0]);
  await calledBy(fired.id);
});

test('call > configuration of the task > task > queue, and an empty list is none', async () => {
  const saidBy = async (body: object) => {
    const id = await post({ input: null, ...body });
    const inputs = (await calledBy(id)).map(({ input }) => input as { said: string });
    return inputs.map(({ said }) => said).join();
  };
  const onFailure = { task: 'call.note', input: { said: 'call' } };
  expect(await saidBy({ task: 'configured.fails', onFailure })).toBe('call');
  expect(await saidBy({ task: 'configured.fails' })).toBe('configuration');
  expect(await saidBy({ task: 'call.defined', input: 'fail', queue: 'mail' })).toBe('task');
  expect(await saidBy({ task: 'call.fails', queue: 'mail' })).toBe('queue');
  const silent = await post({ task: 'configured.fails', input: null, onFailure: [] });
  expect(await end(silent)).toMatchObject({ state: 'dead' });
  expect((await end(silent)).callbacks).toBeUndefined();
});

test('a callback calls nothing itself, so nothing goes round in circles', async () => {
  const id = await post({ task: 'call.circle', input: { round: 1 } });
  const [called] = await calledBy(id);
  expect(called).toMatchObject({ task: 'call.circle', state: 'succeeded' });
  expect(called?.callbacks).toBeUndefined();
  expect(await listed('task=call.circle')).toHaveLength(2);
});

test('what expires has failed, also where no worker has seen it; what is cancelled has not', async () => {
  const onFailure = { task: 'call.note' };
  const unseen = { task: 'call.works', input: null, queue: 'nobody', onFailure };
  const id = await post({ ...unseen, expires: '300ms' });
  const cancelled = await post(unseen);
  expect(await stack.http.call('POST', `/jobs/${cancelled}/cancel`, {})).toMatchObject({ status: 200 });
  expect(await calledBy(id)).toMatchObject([
    { input: { parent: { state: 'expired', reason: { code: 'expired' } } } },
  ]);
  expect(await end(cancelled)).toMatchObject({ state: 'cancelled' });
  expect((await end(cancelled)).callbacks).toBeUndefined();
});

const signed = ({ headers, body }: Received) =>
  `v1=${createHmac('sha256', SECRET).update(`${headers['jetbeat-timestamp']}.${body}`).digest('hex')}`;

test('a webhook tells what has happened, and is signed', async () => {
  const webhook = { url: `${receiver.url}/hook`, secret: 'hook' };
  const id = await post({ task: 'call.works', input: null, onSuccess: { webhook } });
  const [called] = await calledBy(id);
  expect(called).toMatchObject({ task: 'http.request', state: 'succeeded', parent: id });
  expect(JSON.stringify(called?.input)).not.toContain(SECRET);
  const sent = receiver.requests.filter(({ path }) => path === '/hook');
  expect(sent).toHaveLength(1);
  const [request] = sent as [Received];
  expect(JSON.parse(request.body)).toMatchObject({
    id: called?.id,
    event: 'job.succeeded',
    job: { id, task: 'call.works', state: 'succeeded', result: { made: 7 } },
  });
  expect(request.headers).toMatchObject({
    'content-type': 'application/json',
    'jetbeat-id': called?.id,
    'jetbeat-signature': signed(request),
  });
  expect(Math.abs(Number(request.headers['jetbeat-timestamp']) * 1_000 - Date.now())).toBeLessThan(20_000);

  const nameless = { webhook: { url: `${receiver.url}/hook`, secret: 'hoook' } };
  const other = await post({ task: 'call.works', input: null, onSuccess: nameless });
  expect(await calledBy(other)).toMatchObject([
    { state: 'dead', reason: { text: expect.stringContaining('webhooks.secrets.hoook is not configured') } },
  ]);
});

test('who asked for it is told of dead jobs, not more often than asked for, and at last how many more', async () => {
  const ids = await Promise.all(
    Array.from({ length: 5 }, () => post({ task: 'call.fails', input: null, queue: 'watched' })),
  );
  const notices = () => receiver.requests.filter(({ path }) => path === '/notice');
  await waitUntil('all is told', () => notices().length >= 3, { timeoutMs: 20_000 });
  const bodies = notices().map(({ body }) => JSON.parse(body));
  expect(bodies).toHaveLength(3);
  for (const { job, event } of bodies.slice(0, 2)) {
    expect(event).toBe('job.dead');
    expect(ids).toContain(job.id);
    expect(job).toMatchObject({ task: 'call.fails', queue: 'watched', reason: { code: 'attempts_used_up' } });
  }
  expect(bodies[0].job.id).not.toBe(bodies[1].job.id);
  expect(bodies[2]).toMatchObject({ event: 'jobs.more', more: 3, on: ['dead'] });
  for (const request of notices()) expect(request.headers['jetbeat-signature']).toBe(signed(request));
}, 40_000);

test('a notice by e-mail says what happened; of its own failure nobody is told', async () => {
  const id = await post({
    task: 'call.slow',
    input: 60_000,
    timeout: { hard: '50ms' },
    retry: { attempts: 1 },
  });
  const [mail] = await waitUntil('the notice has ended', async () => {
    const found = await listed('task=email.send&state=dead');
    return found.length > 0 ? found : undefined;
  });
  // No SMTP server is configured here.
  expect(mail).toMatchObject({ parent: id, reason: { text: expect.stringContaining('smtp.default') } });
  expect(mail?.input).toMatchObject({
    to: ['ops@example.org'],
    subject: 'Jetbeat: call.slow is dead',
    text: expect.stringMatching(new RegExp(`^The job ${id} is dead\\.\\n[^]*reason: attempts_used_up: `)),
  });
  // Longer than it takes to look after what has ended.
  await post({ task: 'call.works', input: null, onSuccess: { task: 'call.note' } }).then((other) =>
    calledBy(other),
  );
  expect(await listed('task=email.send')).toHaveLength(1);
});

test('what is wrong is refused with its place', async () => {
  const refused = async (onFailure: unknown) => {
    const answer = await stack.http.call<{ errors: { pointer: string; message: string }[] }>(
      'POST',
      '/jobs',
      {
        task: 'a',
        input: 1,
        onFailure,
      },
    );
    return [answer.status, ...answer.body.errors.map(({ pointer }) => pointer)];
  };
  expect(await refused({ tusk: 'a' })).toEqual([400, '/onFailure/tusk']);
  expect(await refused({})).toEqual([400, '/onFailure']);
  expect(await refused([{ task: 'a' }, { task: 'a', input: 1 }])).toEqual([400, '/onFailure/1/input']);
  expect(await refused({ webhook: { url: 'ftp://a' } })).toEqual([400, '/onFailure/webhook/url']);
  await expect(
    client.enqueue('a', 1, { onSuccess: { task: 'a', pas: false } as object as { task: string } }),
  ).rejects.toThrow('did you mean "pass"?');
});
