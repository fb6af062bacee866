import type { LiveEvent, LiveJobEvent } from '@jetbeat/core/http';
import { trimEvents } from '@jetbeat/jetstream';
import { cancelJob, getJob } from '@jetbeat/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { following } from '../support/follow.ts';
import { createHttp } from '../support/http.ts';
import { createLiveBench, type LiveApi, type LiveBench } from '../support/live.ts';
import { newJob, settledEvent, startedEvent, workerEvent } from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

const jobOf = (data: unknown) => (data as LiveJobEvent).job;
const idOf = (data: LiveEvent) => ('job' in data ? data.job.id : 'worker' in data ? data.worker.id : '');

/** Each test has queues of its own in them. */
let bench: LiveBench;
let api: LiveApi;
let other: LiveApi;
const endings: (() => Promise<void>)[] = [];

beforeAll(async () => {
  bench = await createLiveBench({ atEnd: (stop) => void endings.push(stop) });
  [api, other] = await Promise.all([bench.api(), bench.api()]);
}, 60_000);
afterAll(async () => {
  for (const end of endings.reverse()) await end();
});

test('what happens is told once history has it, and the job is found at least as far', async () => {
  const job = newJob({ queue: 'one' });
  const stream = await following((options) => api.client().events.follow({ queue: ['one'] }, options));
  await bench.events.publish(startedEvent(job));
  await stream.atLeast(1);
  const error = { name: 'Error', message: 'no', stack: 'at home' };
  const next = { state: 'retrying', attempt: 2, run: 2, runAt: Date.now() + 60_000 } as const;
  await bench.events.publish(settledEvent(job, { outcome: 'failed', error, next }));
  await stream.atLeast(2);
  expect(await getJob(bench.db, job.id)).toMatchObject({ state: 'retrying' });
  await bench.events.publish(
    settledEvent({ ...job, attempt: 2, run: 2 }, { result: { sum: 3 }, next: { state: 'succeeded' } }),
  );
  await bench.events.publish(workerEvent('w1', { queues: ['one', 'default'] }));
  const told = await stream.atLeast(4);
  const types = told.map(({ type }) => type);
  expect(types).toEqual(['job.running', 'job.retrying', 'job.succeeded', 'worker.running']);
  expect(told[1]?.data).toMatchObject({
    type: 'job.retrying',
    attempt: { number: 1, workerId: 'w1', outcome: 'failed' },
    job: { id: job.id, state: 'retrying', nextRunAt: new Date(next.runAt).toISOString() },
  });
  // Stacks are in history.
  expect(jobOf(told[1]?.data).error).toEqual({ name: 'Error', message: 'no' });
  expect(told[2]?.data).toMatchObject({
    job: { state: 'succeeded', result: { sum: 3 } },
    attempt: { number: 2 },
  });
  const orders = told.slice(0, 3).map(({ data }) => (data as LiveJobEvent).order);
  expect(orders).toEqual(orders.toSorted((a, b) => a - b));
}, 60_000);

test('a stream tells what it was asked for, of the queues of its key, and no payloads where the key may see none', async () => {
  const mail = api.client(await bench.key({ queues: ['mail'], payloads: false }));
  const all = api.client();
  const open = (client: typeof all, filter: Parameters<typeof all.events.follow>[0]) =>
    following((options) => client.events.follow(filter, options));
  const [a, b, c] = [
    newJob({ queue: 'mail' }),
    newJob({ queue: 'two', task: 'report.send' }),
    newJob({ queue: 'two' }),
  ];
  const streams = await Promise.all([
    open(mail, {}),
    open(all, { queue: ['mail'] }),
    open(all, { task: ['report.send'] }),
    open(all, { job: [c.id] }),
    open(all, { type: ['worker.running', 'job.dead'], queue: ['mail', 'two'] }),
    open(mail, { queue: ['two'] }),
    open(all, { queue: ['mail', 'two'] }),
  ]);
  const dead = { state: 'dead', reason: { code: 'failed', text: 'twice' } } as const;
  await bench.events.publish(settledEvent(a, { result: { secret: 1 } }));
  await bench.events.publish(settledEvent(b, { outcome: 'failed', next: dead }));
  await bench.events.publish(settledEvent(c, { result: 'x'.repeat(5_000) }));
  await bench.events.publish(workerEvent('w1', { queues: ['mail', 'default'] }));
  const counts = [2, 2, 1, 1, 2, 0, 4];
  await Promise.all(streams.map((stream, index) => stream.atLeast(counts[index] ?? 0)));
  const told = streams.map(({ events }) => events.map(({ type, data }) => `${type} ${idOf(data)}`));
  expect(told).toEqual([
    [`job.succeeded ${a.id}`, 'worker.running w1'],
    [`job.succeeded ${a.id}`, 'worker.running w1'],
    [`job.dead ${b.id}`],
    [`job.succeeded ${c.id}`],
    [`job.dead ${b.id}`, 'worker.running w1'],
    [],
    [`job.succeeded ${a.id}`, `job.dead ${b.id}`, `job.succeeded ${c.id}`, 'worker.running w1'],
  ]);
  const [ofMail, ofQueue, , ofJob] = streams;
  expect(jobOf(ofMail?.events[0]?.data)).toMatchObject({ hidden: ['result'] });
  expect(jobOf(ofMail?.events[0]?.data)).not.toHaveProperty('result');
  expect(ofMail?.events[1]?.data).toMatchObject({ worker: { queues: ['mail'] } });
  expect(jobOf(ofQueue?.events[0]?.data)).toMatchObject({ result: { secret: 1 } });
  expect(jobOf(ofJob?.events[0]?.data)).toMatchObject({ cut: ['result'] });
}, 60_000);

test('whoever comes back goes on where it was, at any replica, with nothing missed and nothing twice', async () => {
  const filter = { queue: ['three'] };
  const first = await following((options) => api.client().events.follow(filter, options));
  const jobs = Array.from({ length: 300 }, () => newJob({ queue: 'three' }));
  await Promise.all(jobs.map((job) => bench.events.publish(startedEvent(job))));
  const seen = [...(await first.atLeast(100))].slice(0, 100);
  await first.end();
  await Promise.all(jobs.map((job) => bench.events.publish(settledEvent(job))));
  // In the middle of a batch, and on another replica, which has not been asked for anything yet.
  const after = seen.at(-1)?.id ?? '';
  const second = await following((options) => other.client().events.follow(filter, { ...options, after }));
  await second.atLeast(500);
  const ids = [...seen, ...second.events].map(({ id }) => id);
  expect(new Set(ids).size).toBe(600);
  const told = [...seen, ...second.events].map(({ data }) => jobOf(data).id);
  expect(told.slice(0, 300).toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
  expect(told.slice(300).toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
}, 60_000);

test('what is not kept any more, and a place that nobody gave out, are a gap; then it goes on', async () => {
  const filter = { queue: ['four'] };
  const follow = (after?: string) =>
    following((options) =>
      api.client().events.follow(filter, after === undefined ? options : { ...options, after }),
    );
  const stream = await follow();
  const jobs = Array.from({ length: 3 }, () => newJob({ queue: 'four' }));
  for (const job of jobs) await bench.events.publish(startedEvent(job));
  const [first] = await stream.atLeast(3);
  const after = first?.id ?? '';
  await waitUntil('it is trimmed', async () => trimEvents(bench.bus, { upTo: 2, maxMessages: 10 }));
  // One that has just started has nothing of it in its memory.
  const fresh = (await bench.api()).client();
  const late = await following((options) =>
    fresh.events.follow(filter, { ...options, after: `${after.split('.')[0]}.0` }),
  );
  const unknown = await follow('nonsense');
  const elsewhere = await follow('abc.7.1');
  const ahead = await follow(`${after.split('.')[0]}.999999`);
  const all = [late, unknown, elsewhere, ahead];
  for (const each of all) await each.atLeast(1);
  await bench.events.publish(settledEvent(newJob({ queue: 'four' })));
  const reasons = [];
  for (const each of all) {
    await each.first(({ type }) => type === 'job.succeeded');
    const [gap, ...more] = each.events;
    expect(gap?.type).toBe('gap');
    expect(more.map(({ type }) => type)).not.toContain('gap');
    reasons.push(gap?.data && 'reason' in gap.data ? gap.data.reason : undefined);
  }
  expect(reasons).toEqual(['trimmed', 'unknown', 'restarted', 'unknown']);
}, 60_000);

test('a job is followed from what history knows to its end', async () => {
  const { client } = api;
  const job = newJob();
  await bench.events.publish(startedEvent(job));
  await waitUntil('it is recorded', () => getJob(bench.db, job.id));
  const stream = await following((options) => client().events.followJob(job.id, options));
  const [first] = await stream.atLeast(1);
  expect(first).toMatchObject({
    type: 'job',
    data: { id: job.id, state: 'running', attempts: [{ number: 1 }] },
  });
  const progress = { kind: 'progress', value: 50, note: 'half', startedAt: job.createdAt } as const;
  await bench.events.publish({ ...startedEvent(job), ...progress });
  const next = { state: 'retrying', attempt: 2, run: 2, runAt: Date.now() + 60_000 } as const;
  await bench.events.publish(settledEvent(job, { outcome: 'failed', next }));
  await bench.events.publish(settledEvent({ ...job, attempt: 2, run: 2 }, { result: 7 }));
  await stream.over;
  expect(stream.events.map(({ type }) => type)).toEqual([
    'job',
    'job.progress',
    'job.retrying',
    'job.succeeded',
  ]);
  expect(stream.events[1]?.data).toMatchObject({ job: { progress: { value: 50, note: 'half' } } });
  expect(stream.events.at(-1)).toMatchObject({ id: 'end', data: { job: { result: 7 } } });

  // One that is over already is shown, and its end is told as it was then.
  const late = await following((options) => client().events.followJob(job.id, options));
  await late.over;
  expect(late.events.map(({ type }) => type)).toEqual(['job', 'job.succeeded']);
  const told = stream.events.at(-1)?.data as LiveJobEvent;
  expect(late.events[1]?.data).toEqual({
    ...told,
    job: {
      ...told.job,
      startedAt: late.events[1] && jobOf(late.events[1].data).startedAt,
      progress: jobOf(late.events[1]?.data).progress,
    },
  });
}, 60_000);

test('what no event tells of a job shows in its stream all the same; a cancellation is an event too', async () => {
  const http = createHttp({ url: api.url, apiKey: bench.adminKey });
  const body = { task: 'system.echo', input: { a: 1 }, delay: '1h' };
  const [id, other] = [await http.post(body), await http.post(body)];
  const all = await following((options) => api.client().events.follow({ type: ['job.cancelled'] }, options));
  const ofJob = (job: string) => following((options) => api.client().events.followJob(job, options));
  const [stream, second] = [await ofJob(id), await ofJob(other)];
  await stream.atLeast(1);
  expect(await http.call('PATCH', `/jobs/${id}`, { priority: 'high' })).toMatchObject({ status: 200 });
  await stream.first(({ data }) => 'priority' in data && data.priority === 'high');
  expect(await http.call('POST', `/jobs/${id}/cancel`, { reason: 'no' })).toMatchObject({ status: 200 });
  await stream.over;
  expect(stream.events.at(-1)).toMatchObject({ id: 'end', type: 'job.cancelled', data: { job: { id } } });
  const told = await all.first(({ type }) => type === 'job.cancelled');
  expect(told.data).toMatchObject({ job: { id, reason: { code: 'cancelled', text: 'no' } } });
  const back = await http.call('GET', `/jobs/${id}/events`, undefined, { 'last-event-id': 'end' });
  expect(back.status).toBe(204);

  // As by a process that died before it could tell.
  await second.atLeast(1);
  await cancelJob(bench.db, { id: other, now: Date.now(), reason: { code: 'cancelled', text: 'no' } });
  await second.over;
  expect(second.events.map(({ type }) => type)).toEqual(['job', 'job', 'job.cancelled']);
  expect(second.events[1]?.data).toMatchObject({ id: other, state: 'cancelled' });
  expect(all.events.filter(({ type }) => type === 'job.cancelled')).toHaveLength(1);
}, 60_000);

test('a stream begins at once, is held back by nothing on the way, and ends when its process stops', async () => {
  const stopping = await bench.api();
  const headers = { authorization: `Bearer ${bench.adminKey}` };
  const response = await fetch(`${stopping.url}/api/v1/events`, { headers });
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  const reader = response.body?.getReader();
  let text = '';
  while (!text.includes('id: ')) text += new TextDecoder().decode((await reader?.read())?.value);
  expect(text).toMatch(/^retry: \d+\n\n: here\nid: [0-9a-z]+\.\d+\n\n$/);
  // Whoever asks for no body gets no stream.
  const head = await fetch(`${stopping.url}/api/v1/events`, { method: 'HEAD', headers });
  expect(head.status).toBe(405);
  const unknown = await fetch(`${stopping.url}/api/v1/events?type=job.done`, { headers });
  expect(unknown.status).toBe(400);
  await unknown.body?.cancel();
  const stopped = stopping.stop();
  while (!(await reader?.read())?.done);
  await stopped;
}, 60_000);
