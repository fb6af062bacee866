import type { Job } from '@jetbeat/core/http';
import { databaseTime } from '@jetbeat/postgres';
import type { Scheduler } from '@jetbeat/scheduler';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHttp, type Http } from '../support/http.ts';
import { createLiveBench, type LiveBench } from '../support/live.ts';
import { acceptedEvent, DEAD, newJob, settledEvent } from '../support/recorder.ts';
import { makeSchedule, occurrencesOf, startScheduler } from '../support/scheduler.ts';
import { waitUntil } from '../support/wait-until.ts';

let bench: LiveBench;
let scheduler: Scheduler;
let http: Http;
const endings: (() => Promise<void>)[] = [];

beforeAll(async () => {
  bench = await createLiveBench({ atEnd: (stop) => void endings.push(stop) });
  const { url } = await bench.api();
  http = createHttp({ url, apiKey: bench.adminKey });
  const databaseUrl = bench.env['JETBEAT_DATABASE_URL'] ?? '';
  scheduler = await startScheduler({ namespace: bench.namespace, databaseUrl });
}, 60_000);
afterAll(async () => {
  await scheduler?.stop();
  for (const end of endings.reverse()) await end();
});

const job = { task: 'system.echo', input: 1 };
const found = async (id: string) =>
  waitUntil(`history has job ${id}`, async () => {
    const { status, body } = await http.call<Job>('GET', `/jobs/${id}`);
    return status === 200 && body;
  });
const askerOf = async (id: string) => (await found(id)).requestedBy;
const post = async (path: string, body: object) => {
  const { status, body: answer } = await http.call<{ id: string; jobId: string; items: { id: string }[] }>(
    ...(['POST', path, body] as const),
  );
  expect(status, JSON.stringify(answer)).toBe(202);
  return answer;
};
/** A job that is dead. */
async function dead(): Promise<string> {
  const one = newJob();
  await bench.events.publish(acceptedEvent(one, 1));
  await bench.events.publish(settledEvent(one, DEAD));
  await waitUntil('it is dead', async () => (await found(one.id)).state === 'dead');
  return one.id;
}

test('a job says who asked for it: who called the API, or its schedule; nobody, where a program has enqueued it', async () => {
  const { body: keys } = await http.call<{ items: { id: string; name: string }[] }>('GET', '/api-keys');
  const [key] = keys.items;
  const admin = { kind: 'key', id: key?.id, name: key?.name };
  const made = await post('/jobs', job);
  const many = await post('/jobs/batch', { jobs: [job] });
  const old = await dead();
  const retried = await post(`/jobs/${old}/retry`, {});
  const now = await databaseTime(bench.db);
  const schedule = await makeSchedule(bench.db, { when: [{ at: now + 200 }], job }, { now });
  const [planned] = await waitUntil('it has fired', async () => {
    const all = await occurrencesOf(bench.db, schedule.id);
    return all.some(({ jobId }) => jobId !== undefined) && all;
  });
  const { jobId } = await post(`/schedules/${schedule.name}/trigger`, {});
  const past = await makeSchedule(bench.db, { when: [{ at: now - 60_000 }], job }, { now, agoMs: 1 });
  const [from, to] = [now - 120_000, now - 1_000].map((at) => new Date(at).toISOString());
  await post(`/schedules/${past.name}/backfill`, { from, to });
  const [filled] = await waitUntil('it is filled', async () => {
    const all = (await occurrencesOf(bench.db, past.id)).filter(({ jobId }) => jobId !== undefined);
    return all.length > 0 && all;
  });
  for (const id of [made.id, many.items[0]?.id, retried.id, jobId, filled?.jobId])
    expect(await askerOf(id ?? ''), id).toEqual(admin);
  expect(await askerOf(planned?.jobId ?? '')).toEqual({ kind: 'schedule', ...named(schedule) });
  // Whoever retries has asked, not the schedule.
  await bench.events.publish(settledEvent({ ...newJob(), ...(await jobOf(planned?.jobId ?? '')) }, DEAD));
  await waitUntil('it is dead', async () => (await found(planned?.jobId ?? '')).state === 'dead');
  expect(await askerOf((await post(`/jobs/${planned?.jobId}/retry`, {})).id)).toEqual(admin);
  expect(await found(old)).not.toHaveProperty('requestedBy');
}, 60_000);

test('what a batch makes again was asked for by who asked for the batch; and it can be searched', async () => {
  const id = await dead();
  const { id: batch } = await post('/batches', { action: 'retry', filter: { ids: [id] } });
  await waitUntil('the batch is over', async () => {
    const { body } = await http.call<{ state: string }>('GET', `/batches/${batch}`);
    return body.state === 'done';
  });
  const [again] = (await found(id)).retriedBy ?? [];
  const asker = await askerOf(again ?? '');
  expect(asker).toMatchObject({ kind: 'key' });
  const ids = async (by: string) => {
    const search = encodeURIComponent(`by:${by}`);
    const { body } = await http.call<{ items: Job[] }>('GET', `/jobs?search=${search}`);
    return body.items.map((one) => one.id);
  };
  for (const by of [asker?.id, `"${asker?.name}"`, `${asker?.id.slice(0, 4)}*`])
    expect(await ids(by ?? '')).toContain(again);
  expect(await ids('nobody')).toEqual([]);
  expect(await ids(asker?.id ?? '')).not.toContain(id);
}, 60_000);

const named = ({ id, name }: { id: string; name: string }) => ({ id, name });
async function jobOf(id: string) {
  const { createdAt, runAt } = await found(id);
  return { id, createdAt: Date.parse(createdAt), runAt: Date.parse(runAt) };
}
