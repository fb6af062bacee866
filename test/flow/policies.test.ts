import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect } from '@jetbeat/client';
import { InvalidInputError } from '@jetbeat/core';
import type { Job } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppProcess } from '../support/app-process.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { waitUntil } from '../support/wait-until.ts';
import { BAD_POLICIES, issuesText } from './bad-policies.ts';
import { echo, fails, routed } from './policy-tasks.ts';

const FILE = `
routing:
  "routed.*": special
tasks:
  "layered.*": { retry: { attempts: 2, backoff: fixed, delay: 10ms } }
  "hurried.*": { expires: 1s, priority: high }
defaults:
  queue: rest
  retry: { attempts: 5 }
`;

let dir: string;
let stack: Stack;
let worker: AppProcess;
let recorder: AppProcess;
let client: Client;
const queues = { JETBEAT_QUEUES: 'default,own,special,rest' };
const env = {
  ...queues,
  JETBEAT_TASKS: join(import.meta.dirname, 'policy-tasks.ts'),
  JETBEAT_CONCURRENCY: '1',
};

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-policies-'));
  await writeFile(join(dir, 'jetbeat.yaml'), FILE);
  stack = await startStack({ env: { JETBEAT_CONFIG: join(dir, 'jetbeat.yaml') } });
  [, recorder, , worker] = await Promise.all([
    stack.start('api'),
    stack.start('recorder'),
    stack.start('scheduler'),
    stack.start('worker', { env }),
  ]);
  client = await connect({ servers: stack.nats.url });
}, 120_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const post = async (body: object) => (await stack.http.call<{ id: string }>('POST', '/jobs', body)).body.id;
const ends = ['succeeded', 'dead', 'cancelled', 'expired'];
const end = async (id: string) => (await stack.http.jobIn(id, ends)) as unknown as Job;
/** A client's job may not be in history yet. */
const told = async ({ id }: { id: string }) => {
  await waitUntil('history knows it', () => stack.http.job(id));
  return end(id);
};

test('jobs go where the configuration says: by client, API, schedule and ctx.enqueue', async () => {
  const jobs = await Promise.all([
    client.enqueue(routed, 1).then(told),
    client.enqueue(routed, 1, { queue: 'default' }).then(told),
    client.enqueue(echo, 1).then(told),
    client.enqueue('flow.echo', 1).then(told),
    post({ task: 'routed.echo', input: 1 }).then(end),
    post({ task: 'routed.echo', input: 1, queue: 'default' }).then(end),
    post({ task: 'flow.echo', input: 1 }).then(end),
  ]);
  expect(jobs.map(({ state, queue, result }) => [state, queue, result])).toEqual(
    ['special', 'default', 'own', 'rest', 'special', 'default', 'own'].map((queue) => [
      'succeeded',
      queue,
      { queue },
    ]),
  );
  const parent = await post({ task: 'flow.parent', input: 1 }).then(end);
  expect(parent.queue).toBe('rest');
  const children = await Promise.all((parent.result as string[]).map((id) => told({ id })));
  expect(children.map(({ queue }) => queue)).toEqual(['own', 'special']);

  const at = new Date(Date.now() + 1_000).toISOString();
  const job = { task: 'routed.echo', input: 1, expires: '3h', retry: { delay: ['1s', '5m'] } };
  const made = await stack.http.call<{ job: object }>('POST', '/schedules', { name: 's', when: { at }, job });
  expect(made).toMatchObject({ status: 201, body: { job } });
  const scheduled = await waitUntil('it has fired', async () => {
    const { body } = await stack.http.call<{ items: Job[] }>('GET', '/jobs?schedule=s&state=succeeded');
    return body.items[0];
  });
  expect(scheduled).toMatchObject({ queue: 'special', result: { queue: 'special' } });
  // Counted from the nominal time.
  expect(Date.parse(scheduled.expiresAt ?? '') - Date.parse(scheduled.runAt)).toBe(10_800_000);
}, 60_000);

test('what is not to be retried is dead at once, by class or code, above the task or in it', async () => {
  const hopeless = await client.enqueue(fails, 1).then(told);
  expect(hopeless).toMatchObject({
    state: 'dead',
    reason: { code: 'not_retried', text: expect.stringContaining('noRetryOn names GoneError') },
    error: { name: 'Error', code: 'gone', message: 'it is gone' },
  });
  expect(hopeless.attempts).toHaveLength(1);
  // The call wins, field by field: what the task says of attempts and delays holds on.
  const retried = await client.enqueue(fails, 1, { retry: { noRetryOn: [], retryOn: ['gone'] } }).then(told);
  expect(retried).toMatchObject({ state: 'dead', reason: { code: 'attempts_used_up' } });
  expect(retried.attempts).toHaveLength(3);
  const byApi = await post({ task: 'flow.fails', input: 1, retry: { retryOn: ['ELSE'], noRetryOn: [] } });
  expect(await end(byApi)).toMatchObject({ reason: { code: 'not_retried' }, attempts: [{ number: 1 }] });
});

test('call > configuration of the task > task > configured defaults', async () => {
  const triesOf = async (body: object) => (await post(body).then(end)).attempts.length;
  expect(await triesOf({ task: 'layered.fails', input: 1 })).toBe(2);
  expect(await triesOf({ task: 'layered.fails', input: 1, retry: { attempts: 3 } })).toBe(3);
  expect(await triesOf({ task: 'layered.fails', input: 1, retry: { delay: ['1ms'], attempts: 1 } })).toBe(1);
  const hurried = await post({ task: 'hurried.unknown', input: 1 });
  expect(await stack.http.job(hurried)).toMatchObject({ priority: 'high', queue: 'rest' });
});

test('Retry until a time, Snooze until a time, Reject', async () => {
  const [retry, snooze, reject] = await Promise.all(
    ['retry', 'snooze', 'reject'].map((input) => post({ task: 'flow.on-purpose', input }).then(end)),
  );
  expect(retry).toMatchObject({ state: 'succeeded', result: 'after a retry' });
  expect(retry?.attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
    [1, 'failed'],
    [2, 'succeeded'],
  ]);
  expect(snooze).toMatchObject({ state: 'succeeded', result: 'after a snooze' });
  expect(snooze?.attempts.map(({ number }) => number)).toEqual([1, 1]);
  expect(reject).toMatchObject({ state: 'dead', reason: { code: 'rejected' } });
});

test('a job that is behind others for too long is not begun any more', async () => {
  const first = await post({ task: 'flow.slow', input: 2_500 });
  await stack.http.jobIn(first, ['running']);
  const behind = await post({ task: 'flow.slow', input: 1, expires: '300ms' });
  const expired = await end(behind);
  expect(expired).toMatchObject({ state: 'expired', reason: { code: 'expired' }, attempts: [] });
  expect(Date.parse(expired.expiresAt ?? '') - Date.parse(expired.runAt)).toBe(300);
  expect(await end(first)).toMatchObject({ state: 'succeeded' });
});

test('a worker looks at the time itself, also where no recorder runs', async () => {
  const first = await post({ task: 'flow.slow', input: 1_500 });
  await stack.http.jobIn(first, ['running']);
  await recorder.kill();
  const behind = await post({ task: 'flow.slow', input: 1, expires: '300ms' });
  await waitUntil('the worker has looked at it', () => worker.output().includes('job expired'));
  recorder = await stack.start('recorder');
  expect((await end(behind)).reason?.text).toMatch(/^it was not begun in time: it expired at /);
});

test('a retry that would begin too late is not made; the last error stays', async () => {
  const body = { task: 'layered.fails', input: 1, retry: { delay: '1h' }, expires: '1m' };
  const job = await end(await post(body));
  expect(job).toMatchObject({
    state: 'expired',
    reason: { text: expect.stringMatching(/^its next run would begin too late/) },
    error: { message: 'no' },
    attempts: [{ number: 1, outcome: 'failed' }],
  });
});

test('a job whose worker is killed does not run again after it has expired', async () => {
  const id = await post({ task: 'flow.slow', input: 60_000, expires: '2500ms' });
  await stack.http.jobIn(id, ['running']);
  await worker.kill();
  worker = await stack.start('worker', { env });
  const job = await end(id);
  expect(job).toMatchObject({ state: 'expired', reason: { code: 'expired' } });
  expect(job.attempts).toMatchObject([{ number: 1, outcome: 'lost' }]);
}, 60_000);

test('jobs that no worker takes expire, and say so', async () => {
  await worker.stop();
  const expires = new Date(Date.now() + 1_000);
  const ids = await Promise.all([
    post({ task: 'flow.slow', input: 1, expires: '500ms' }),
    post({ task: 'flow.slow', input: 1, delay: '500ms', expires: '200ms' }),
    client.enqueue('flow.slow', 1, { expires }).then(({ id }) => id),
    post({ task: 'hurried.unknown', input: 1 }),
  ]);
  for (const id of ids) {
    await waitUntil('history knows it', () => stack.http.job(id));
    expect(await end(id)).toMatchObject({ state: 'expired', reason: { code: 'expired' }, attempts: [] });
  }
  worker = await stack.start('worker', { env });
}, 60_000);

test('programs hear of a changed configuration; settings of their own win', async () => {
  const own = await connect({ servers: stack.nats.url, settings: { routing: { '*': 'default' } } });
  expect(await own.enqueue(routed, 1).then(told)).toMatchObject({ queue: 'default' });
  await own.close();
  await expect(connect({ servers: stack.nats.url, settings: { rooting: {} } as object })).rejects.toThrow(
    'did you mean "routing"?',
  );
  const other = join(dir, 'other.yaml');
  await writeFile(other, 'routing: { "routed.*": rest }\n');
  recorder = await stack.restart(recorder, { env: { JETBEAT_CONFIG: other } });
  await waitUntil('the client has heard of it', async () => {
    const job = await client.enqueue(routed, 1).then(told);
    return job.queue === 'rest';
  });
}, 60_000);

test.each(BAD_POLICIES)('%j is the same mistake over HTTP and in a program', async (bad, issues) => {
  const body = { task: 'a', input: 1, ...bad };
  const answer = await stack.http.call<{ errors: [] }>('POST', '/jobs', body);
  expect([answer.status, issuesText(answer.body.errors)]).toEqual([400, issues]);
  const thrown = await client.enqueue('a', 1, bad).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(InvalidInputError);
  expect(issuesText((thrown as InvalidInputError).issues)).toBe(issues);
});

test('a job says what holds for it, and whose word that is', async () => {
  const { id } = await client.enqueue(fails, 1, { retry: { max: '1m' } });
  // What the call said history may hear after the end of the job.
  const { policy } = await waitUntil('history knows what the call said', async () => {
    const job = await told({ id });
    return job.policy?.from['retry.max'] === 'call' && job;
  });
  const retry = { attempts: 3, backoff: 'fixed', delay: '10ms', max: '1m', noRetryOn: ['GoneError'] };
  expect(policy).toMatchObject({
    retry,
    timeout: { hard: '1h' },
    onSuccess: [],
    onFailure: [],
    from: {
      'retry.attempts': 'task',
      'retry.max': 'call',
      'retry.jitter': 'built-in',
      onFailure: 'built-in',
    },
  });
  const { policy: other } = await post({ task: 'layered.fails', input: 1 }).then(end);
  expect(other?.from).toMatchObject({ 'retry.attempts': 'configuration' });
});

test('what is wrong is refused with its place, and what was meant', async () => {
  const refused = async (body: object) => {
    const answer = await stack.http.call<{ errors: { pointer: string; suggestion?: string }[] }>(
      ...(['POST', '/jobs', { task: 'a', input: 1, ...body }] as const),
    );
    const { errors } = answer.body;
    return [answer.status, ...errors.flatMap(({ pointer, suggestion = '' }) => [pointer, suggestion])];
  };
  expect(await refused({ expires: '2020-01-01T00:00:00Z' })).toEqual([400, '/expires', '']);
  expect(await refused({ expirse: '1s' })).toEqual([400, '/expirse', 'expires']);
  expect(await refused({ retry: { noRetryon: ['a'] } })).toEqual([400, '/retry/noRetryon', 'noRetryOn']);
  await expect(client.enqueue('a', 1, { expirse: '1s' } as object)).rejects.toThrow(
    'did you mean "expires"?',
  );
});
