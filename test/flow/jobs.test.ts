import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Client,
  connect,
  JobCancelledError,
  JobExpiredError,
  JobFailedError,
  ResultTimeoutError,
} from '@jetbeat/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProblemJson } from '../support/api.ts';
import { type AppGroup, startAppGroup } from '../support/app-group.ts';
import type { JobJson } from '../support/http.ts';
import { natsUrl } from '../support/nats.ts';
import { waitUntil } from '../support/wait-until.ts';

type Answered = JobJson &
  ProblemJson & { retryOf?: string; retriedBy?: string[]; priority: string; runAt: string };

let group: AppGroup;
let client: Client;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-jobs-'));
  group = await startAppGroup({
    JETBEAT_ACK_WAIT: '2s',
    JETBEAT_TASKS: join(import.meta.dirname, 'job-tasks.ts'),
  });
  await Promise.all([group.start('api'), group.start('recorder')]);
  await group.start('worker', { JETBEAT_CONCURRENCY: '8' });
  client = await connect({ servers: natsUrl(), namespace: group.namespace });
}, 120_000);
afterAll(async () => {
  await client?.close();
  await group?.stop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const call = (method: string, path: string, body?: unknown) => group.http.call<Answered>(method, path, body);
const file = () => join(dir, 'notes');
const post = (body: object) => group.http.post(body);
const postNoted = (task: string, name: string, more: object = {}, rest: object = {}) =>
  post({ task, input: { file: file(), name, ...more }, ...rest });

/** What the run of this name has said. */
async function said(name: string, what: string): Promise<number | undefined> {
  const text = await readFile(file(), 'utf8').catch(() => '');
  const lines = text.split('\n').filter(Boolean);
  const found = lines.map((line) => JSON.parse(line) as { name: string; what: string; at: number });
  return found.find((each) => each.name === name && each.what === what)?.at;
}
const until = (name: string, what: string) => waitUntil(`${name} is ${what}`, () => said(name, what));
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

test.each(['jobs.inline', 'jobs.thread', 'jobs.process'])(
  '%s: a running job hears of its cancel, is cancelling, then cancelled',
  async (task) => {
    const id = await postNoted(task, task);
    await until(task, 'begun');
    const asked = Date.now();
    const { status, body } = await call('POST', `/jobs/${id}/cancel`, { reason: 'not needed' });
    expect([200, 202]).toContain(status);
    expect(['cancelling', 'cancelled']).toContain(body.state);
    expect(await group.http.jobIn(id, ['cancelled'])).toMatchObject({
      reason: { code: 'cancelled', text: 'not needed' },
      attempts: [{ number: 1, outcome: 'cancelled', error: { message: 'not needed' } }],
    });
    // Far more than it takes: 13 to 78 ms on a busy machine.
    expect(((await said(task, 'told')) ?? 0) - asked).toBeLessThan(2_000);
    expect((await call('POST', `/jobs/${id}/cancel`)).status).toBe(200);
  },
);

test('a handler that does not stop keeps its job cancelling; one that ends well all the same succeeds', async () => {
  const stubborn = await postNoted('jobs.inline', 'stubborn', { end: 'ignore' });
  const well = await postNoted('jobs.inline', 'well', { end: 'well' });
  await until('stubborn', 'begun');
  await until('well', 'begun');
  const answer = await call('POST', `/jobs/${stubborn}/cancel`);
  expect([answer.status, answer.body.state]).toEqual([202, 'cancelling']);
  await until('stubborn', 'told');
  expect((await group.http.job(stubborn)).state).toBe('cancelling');
  const listed = await group.http.call<{ items: JobJson[] }>('GET', '/jobs?state=cancelling');
  expect(listed.body.items.map(({ id }) => id)).toEqual([stubborn]);
  await call('POST', `/jobs/${well}/cancel`);
  expect(await group.http.jobIn(well, ['succeeded'])).toMatchObject({ result: 'done all the same' });
  expect((await call('POST', `/jobs/${well}/cancel`)).body).toMatchObject({ status: 409, code: 'job_ended' });
});

test('a cancelled job is not tried again, however its handler ends', async () => {
  const id = await postNoted('jobs.inline', 'fails', { end: 'fail' });
  await until('fails', 'begun');
  await call('POST', `/jobs/${id}/cancel`);
  const job = await group.http.jobIn(id, ['cancelled', 'dead', 'succeeded']);
  expect([job.state, job.attempts.length]).toEqual(['cancelled', 1]);
});

test('a delayed job runs at its new time, once; what is over or runs is refused', async () => {
  const id = await postNoted('jobs.inline', 'moved', { ms: 1_500 }, { delay: '2h' });
  const runAt = inAnHour();
  const moved = await call('PATCH', `/jobs/${id}`, { runAt, priority: 'high' });
  expect([moved.status, moved.body]).toMatchObject([200, { state: 'scheduled', runAt, priority: 'high' }]);
  expect((await call('PATCH', `/jobs/${id}`, { runAt, priority: 'high' })).status).toBe(200);
  const soon = await call('PATCH', `/jobs/${id}`, { runAt: new Date(Date.now() + 1_500).toISOString() });
  expect(soon.body.state).toBe('scheduled');
  await until('moved', 'begun');
  const running = await call('PATCH', `/jobs/${id}`, { priority: 'low' });
  expect(running.body).toMatchObject({ status: 409, code: 'job_running' });
  const job = await group.http.jobIn(id, ['succeeded', 'dead']);
  expect(job).toMatchObject({ state: 'succeeded', result: 'waited', priority: 'high' });
  expect(job.attempts.length).toBe(1);
  const over = await call('PATCH', `/jobs/${id}`, { runAt });
  expect(over.body).toMatchObject({ status: 409, code: 'job_ended' });
});

test('run-now: a delayed job, and one that waits for its next attempt', async () => {
  const delayed = await post({ task: 'jobs.echo', input: { value: 1 }, delay: '1h' });
  const now = await call('POST', `/jobs/${delayed}/run-now`);
  expect([now.status, now.body.state]).toEqual([200, expect.stringMatching(/queued|running|succeeded/)]);
  expect((await group.http.jobIn(delayed, ['succeeded'])).result).toEqual({ value: 1 });
  const retrying = await post({ task: 'jobs.later', input: null });
  await group.http.jobIn(retrying, ['retrying']);
  const sooner = await call('PATCH', `/jobs/${retrying}`, {
    runAt: new Date(Date.now() + 1_800_000).toISOString(),
  });
  expect(sooner.body.state).toBe('retrying');
  await call('POST', `/jobs/${retrying}/run-now`);
  const job = await group.http.jobIn(retrying, ['succeeded', 'dead']);
  expect([job.state, job.attempts.map(({ number }) => number)]).toEqual(['succeeded', [1, 2]]);
});

test('what cannot be a change is refused by name', async () => {
  const id = await post({ task: 'jobs.echo', input: { value: 1 }, delay: '1h', expires: '1h' });
  for (const body of [{}, { delay: '1s' }, { runAt: 'soon' }, { priority: 'urgent' }])
    expect((await call('PATCH', `/jobs/${id}`, body)).status).toBe(400);
  const late = await call('PATCH', `/jobs/${id}`, {
    runAt: new Date(Date.now() + 3 * 3_600_000).toISOString(),
  });
  expect(late.body).toMatchObject({ status: 400, errors: [{ pointer: '/runAt' }] });
  expect((await call('PATCH', '/jobs/none', { priority: 'low' })).status).toBe(404);
  expect((await group.http.job(id)).state).toBe('scheduled');
});

test('a queued job that a worker may take at any moment is moved or refused, and runs once', async () => {
  const fates = await Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      const name = `race-${index}`;
      const id = await postNoted('jobs.inline', name, { ms: 200 });
      const { status } = await call('PATCH', `/jobs/${id}`, { runAt: inAnHour() });
      return { name, id, status };
    }),
  );
  expect(new Set([...fates.map(({ status }) => status), 200, 409])).toEqual(new Set([200, 409]));
  for (const { id, name, status } of fates) {
    if (status !== 200) {
      expect(await group.http.jobIn(id, ['succeeded'])).toMatchObject({ attempts: [{ number: 1 }] });
      continue;
    }
    expect([name, (await group.http.job(id)).state, await said(name, 'begun')]).toEqual([
      name,
      'scheduled',
      undefined,
    ]);
    await call('POST', `/jobs/${id}/run-now`);
    expect(await group.http.jobIn(id, ['succeeded'])).toMatchObject({ attempts: [{ number: 1 }] });
  }
}, 60_000);

test('retry: a new job with the same input or another one, linked both ways', async () => {
  const waits = await post({ task: 'jobs.dies', input: {}, delay: '1h' });
  expect((await call('POST', `/jobs/${waits}/retry`)).status).toBe(409);
  const dead = await post({ task: 'jobs.dies', input: { a: 1 }, priority: 'high', meta: { team: 'x' } });
  await group.http.jobIn(dead, ['dead']);
  const again = await call('POST', `/jobs/${dead}/retry`);
  expect(again.status).toBe(202);
  const job = (await group.http.jobIn(again.body.id, ['dead'])) as Answered;
  expect(job).toMatchObject({ retryOf: dead, input: { a: 1 }, priority: 'high', meta: { team: 'x' } });
  const edited = await call('POST', `/jobs/${dead}/retry`, { input: 'well' });
  expect(await group.http.jobIn(edited.body.id, ['succeeded'])).toMatchObject({
    retryOf: dead,
    result: 'well',
  });
  const old = (await group.http.job(dead)) as Answered;
  expect(old.retriedBy).toEqual([again.body.id, edited.body.id]);
  const done = await post({ task: 'jobs.echo', input: { value: 1 } });
  await group.http.jobIn(done, ['succeeded']);
  const wrong = await call('POST', `/jobs/${done}/retry`, { input: { value: 'x' } });
  expect(wrong.body).toMatchObject({ status: 422, errors: [{ pointer: '/input/value' }] });
});

test('a program waits for the result of its job, before and after it is over', async () => {
  const job = await client.enqueue('jobs.echo', { value: 7 });
  expect(await job.result({ timeout: '10s' })).toEqual({ value: 7 });
  expect(await client.job(job.id).result()).toEqual({ value: 7 });
  const jobs = await client.enqueueMany(
    'jobs.echo',
    Array.from({ length: 500 }, (_, value) => ({ value })),
  );
  const results = await Promise.all(jobs.map((each) => each.result<{ value: number }>({ timeout: '20s' })));
  expect(results.map(({ value }) => value)).toEqual(jobs.map((_, value) => value));
});

test('a job that has no result says why', async () => {
  const dead = await client.enqueue('jobs.dies', null);
  const failed = await dead.result({ timeout: '10s' }).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(JobFailedError);
  expect(failed).toMatchObject({
    code: 'job_failed',
    id: dead.id,
    reason: { code: 'rejected' },
    error: { code: 'no_customer', message: 'no such customer' },
    cause: { message: 'no such customer' },
  });
  const delayed = await client.enqueue('jobs.echo', { value: 1 }, { delay: '1h' });
  await group.http.jobIn(delayed.id, ['scheduled']);
  const late = await delayed.result({ timeout: '1s' }).catch((error: unknown) => error);
  expect(late).toBeInstanceOf(ResultTimeoutError);
  expect(late).toMatchObject({ code: 'result_timeout', state: 'scheduled' });
  const waiting = delayed.result({ timeout: '10s' }).catch((error: unknown) => error);
  await call('POST', `/jobs/${delayed.id}/cancel`, { reason: 'no more' });
  expect(await waiting).toBeInstanceOf(JobCancelledError);
  expect(await waiting).toMatchObject({ reason: { text: 'no more' } });
  const expired = await client.enqueue('jobs.echo', { value: 1 }, { queue: 'nobody', expires: '100ms' });
  await expect(expired.result({ timeout: '15s' })).rejects.toBeInstanceOf(JobExpiredError);
  await expect(
    client.job('0190b5a0-7c00-7000-8000-000000000000').result({ timeout: '50ms' }),
  ).rejects.toMatchObject({ code: 'result_timeout', state: undefined });
  expect(() => client.job('x')).toThrow('is no job id');
  await expect(dead.result({ timeuot: '1s' } as object)).rejects.toThrow('did you mean "timeout"?');
});

test('POST /jobs?wait answers with the finished job, or with 202', async () => {
  const done = await call('POST', '/jobs?wait=10s', { task: 'jobs.echo', input: { value: 3 } });
  expect([done.status, done.body]).toMatchObject([200, { state: 'succeeded', result: { value: 3 } }]);
  const dead = await call('POST', '/jobs?wait=10s', { task: 'jobs.dies', input: null });
  expect([dead.status, dead.body.state]).toEqual([200, 'dead']);
  const later = await call('POST', '/jobs?wait=200ms', {
    task: 'jobs.echo',
    input: { value: 3 },
    delay: '1h',
  });
  expect([later.status, later.body.state]).toEqual([202, 'scheduled']);
  const long = await call('POST', '/jobs?wait=1h', { task: 'jobs.echo', input: { value: 3 } });
  expect(long.body).toMatchObject({ status: 400, errors: [{ pointer: '?wait' }] });
});
