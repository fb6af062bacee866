import { publishedEvent } from '@jetbeat/core';
import type { LiveEvent, LiveJobEvent } from '@jetbeat/core/http';
import { PublishUnconfirmedError, publishJobs } from '@jetbeat/jetstream';
import { databaseTime, getJob } from '@jetbeat/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Following, following } from '../support/follow.ts';
import { createHttp, type Http } from '../support/http.ts';
import { createLiveBench, type LiveApi, type LiveBench } from '../support/live.ts';
import { newJob, settledEvent } from '../support/recorder.ts';
import { makeSchedule, startScheduler } from '../support/scheduler.ts';
import { waitUntil } from '../support/wait-until.ts';

let bench: LiveBench;
let api: LiveApi;
let http: Http;
const endings: (() => Promise<void>)[] = [];

beforeAll(async () => {
  bench = await createLiveBench({ atEnd: (stop) => void endings.push(stop) });
  api = await bench.api();
  http = createHttp({ url: api.url, apiKey: bench.adminKey });
}, 60_000);
afterAll(async () => {
  for (const end of endings.reverse()) await end();
});

const follow = (queue: string) =>
  following((options) => api.client().events.follow({ queue: [queue] }, options));
const idOf = (event: { readonly data: unknown } | undefined) =>
  (event?.data as LiveJobEvent | undefined)?.job.id;
const told = ({ events }: Following<LiveEvent>) =>
  events.map(({ type, data }) => `${type} ${(data as LiveJobEvent).job.id}`);
const post = async (path: string, body: object) => {
  const answer = await http.call<{ id: string; items: { id: string }[]; jobId: string }>('POST', path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body;
};

test('each job that the API makes is told of once, from its creation on, and history has it by then', async () => {
  const stream = await follow('made');
  const job = { task: 'system.echo', queue: 'made', input: 1 };
  const [now, later, many] = await Promise.all([
    post('/jobs', job),
    post('/jobs', { ...job, delay: '1h' }),
    post('/jobs/batch', { jobs: Array.from({ length: 40 }, () => job) }),
  ]);
  const dead = newJob({ queue: 'made' });
  const next = { state: 'dead', reason: { code: 'rejected', text: 'no' } } as const;
  await bench.events.publish(settledEvent(dead, { outcome: 'rejected', next }));
  await stream.first(({ type }) => type === 'job.dead');
  const again = await post(`/jobs/${dead.id}/retry`, { input: 1 });
  const events = await stream.atLeast(44);
  for (const { data } of events) expect(await getJob(bench.db, (data as LiveJobEvent).job.id)).toBeDefined();
  const made = [now, ...many.items, again].map(({ id }) => `job.queued ${id}`);
  expect(told(stream).toSorted()).toEqual(
    [...made, `job.scheduled ${later.id}`, `job.dead ${dead.id}`].toSorted(),
  );
  expect(events.find(({ type }) => type === 'job.scheduled')?.data).toMatchObject({
    job: { task: 'system.echo', priority: 'normal', state: 'scheduled' },
    attempt: { number: 1 },
  });
}, 60_000);

test('each job of a schedule is told of once, and one that is left out since another has its key only by its end', async () => {
  const stream = await follow('planned');
  const databaseUrl = bench.env['JETBEAT_DATABASE_URL'] ?? '';
  const scheduler = await startScheduler({ namespace: bench.namespace, databaseUrl });
  try {
    const job = { task: 'system.echo', input: 1, queue: 'planned' };
    const now = await databaseTime(bench.db);
    const { name } = await makeSchedule(bench.db, { when: [{ at: now + 300 }], job }, { now });
    const [planned] = await stream.atLeast(1);
    const { jobId } = await post(`/schedules/${name}/trigger`, {});
    await stream.atLeast(2);
    const holder = await post('/jobs', { ...job, uniqueKey: 'one', delay: '1h' });
    const keyed = { name: 'keyed', when: { every: '1d' }, job: { ...job, uniqueKey: 'one' } };
    expect((await http.call('POST', '/schedules', keyed)).status).toBe(201);
    const { jobId: leftOut } = await post('/schedules/keyed/trigger', {});
    await stream.atLeast(4);
    expect(told(stream)).toEqual([
      `job.queued ${idOf(planned)}`,
      `job.queued ${jobId}`,
      `job.scheduled ${holder.id}`,
      `job.cancelled ${leftOut}`,
    ]);
  } finally {
    await scheduler.stop();
  }
}, 60_000);

test('a job that the API could not publish, or has published and died, is told of once by the recorder', async () => {
  await bench.start({ times: { unpublishedAfterMs: 100, reconcileEveryMs: 50 } });
  const stream = await follow('left');
  const lost = new PublishUnconfirmedError('the answer is lost');
  const failing = await bench.api({
    publish: async (_, jobs) => jobs.map(() => ({ ok: false, error: lost })),
  });
  const dying = await bench.api({
    async publish(bus, jobs) {
      await publishJobs(bus, jobs);
      throw lost;
    },
  });
  const body = { task: 'system.echo', queue: 'left', input: 1 };
  const ids: string[] = [];
  for (const { url } of [failing, dying])
    for (const delay of [{}, { delay: '1h' }]) {
      const answer = await createHttp({ url, apiKey: bench.adminKey }).call<{ id: string }>('POST', '/jobs', {
        ...body,
        ...delay,
      });
      ids.push(answer.body.id);
    }
  await stream.atLeast(4);
  // Nobody knows whether it was told of; a replica that has heard of it does not tell again.
  const [again] = ids;
  const job = await getJob(bench.db, again ?? '');
  if (!job) throw new Error('it was stored');
  await bench.events.publish(publishedEvent(job, job.traceId));
  const end = newJob({ queue: 'left' });
  await bench.events.publish(settledEvent(end));
  await stream.first(({ type }) => type === 'job.succeeded');
  const states = ['job.queued', 'job.scheduled', 'job.queued', 'job.scheduled'];
  expect(told(stream).slice(0, -1).toSorted()).toEqual(ids.map((id, at) => `${states[at]} ${id}`).toSorted());
  await waitUntil('they are noted', async () =>
    (await Promise.all(ids.map((id) => getJob(bench.db, id)))).every((found) => found?.published),
  );
}, 60_000);
