import { type Event, encodeBatch, encodeEvent, type JobEnvelope } from '@jetbeat/core';
import { eventsState } from '@jetbeat/jetstream';
import { databaseTime, getJob, liveWorkers, recordChanges } from '@jetbeat/postgres';
import { expect, onTestFinished, test } from 'vitest';
import { natsUrl } from '../support/nats.ts';
import { rawJetStream } from '../support/raw-jetstream.ts';
import {
  acceptedEvent,
  createRecorderBench,
  newId,
  newJob,
  type RecorderBench,
  settledEvent,
  startedEvent,
  workerEvent,
} from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A job that fails once and then succeeds, as its events tell it. */
function lifeOf(job: JobEnvelope): Event[] {
  const [first, second] = [newId(), newId()];
  const again = { ...job, attempt: 2, run: 2 };
  const now = Date.now();
  const error = { name: 'Error', message: 'once\u0000 \ud800' };
  const next = { state: 'retrying', attempt: 2, runAt: now + 10 } as const;
  return [
    acceptedEvent(job, 1),
    startedEvent(job, { runId: first }),
    settledEvent(job, { runId: first, outcome: 'failed', error, next }),
    startedEvent(again, { runId: second }),
    settledEvent(again, { runId: second, result: { done: true } }),
  ];
}

async function recordedAll({ bus }: RecorderBench): Promise<void> {
  await waitUntil('everything is recorded', async () => {
    const { lastSeq, recordedUpTo } = await eventsState(bus);
    return recordedUpTo >= lastSeq;
  });
}

test('events in any order, twice, over two recorders, make the same history', async () => {
  const bench = await createRecorderBench();
  const recorders = await Promise.all([bench.start(), bench.start()]);
  await Promise.all(recorders.map((recorder) => recorder.ready()));
  const jobs = Array.from({ length: 40 }, () => newJob());
  const all = jobs.flatMap((job) => [...lifeOf(job), ...lifeOf(job).slice(0, 1)]);
  const shuffled = [...all, ...all].map((event, index) => ({ event, at: (index * 7_919) % 401 }));
  shuffled.sort((a, b) => a.at - b.at);
  const stranger = await rawJetStream(natsUrl());
  onTestFinished(() => stranger.close());
  // Each event alone in its message, so that both recorders get some of each job.
  const subject = `${bench.namespace}.events.batch`;
  await Promise.all(
    shuffled.map(({ event }) => stranger.publish(subject, encodeBatch([encodeEvent(event)]))),
  );
  await recordedAll(bench);
  for (const { id, input } of jobs) {
    const row = await getJob(bench.db, id);
    expect(row).toMatchObject({ state: 'succeeded', attempt: 2, run: 2, input, result: { done: true } });
    const attempts = row?.attempts.map(({ number, outcome }) => [number, outcome]);
    expect(attempts).toEqual([
      [1, 'failed'],
      [2, 'succeeded'],
    ]);
    expect(row?.attempts[0]?.error?.message).toBe('once\ufffd \ufffd');
  }
  // A start that is heard of after its end changes nothing, and is counted.
  expect(recorders.reduce((sum, recorder) => sum + recorder.counts().late, 0)).toBeGreaterThan(0);
  expect(recorders.map((recorder) => recorder.counts().batches).reduce((a, b) => a + b)).toBe(
    shuffled.length,
  );
});

test('garbage is counted and passed by, and the next good batch is recorded', async () => {
  const bench = await createRecorderBench();
  const recorder = await bench.start();
  const stranger = await rawJetStream(natsUrl());
  onTestFinished(() => stranger.close());
  const subject = `${bench.namespace}.events.batch`;
  for (let index = 0; index < 20; index++)
    await stranger.publish(subject, crypto.getRandomValues(new Uint8Array(64)));
  const job = newJob();
  const odd = JSON.stringify({ ...settledEvent(newJob()), finishedAt: 'now' });
  await stranger.publish(subject, Buffer.from('{"not":"a batch"}'));
  await stranger.publish(subject, encodeBatch(['{"kind":"tomorrow"}', 'null', odd]));
  await stranger.publish(subject, encodeBatch([odd, encodeEvent(settledEvent(job))]));
  await recordedAll(bench);
  expect(await getJob(bench.db, job.id)).toMatchObject({ state: 'succeeded' });
  expect(recorder.counts()).toMatchObject({ skippedBatches: 21, skippedEvents: 4 });
});

test('an event that PostgreSQL refuses for its values is passed by alone', async () => {
  const bench = await createRecorderBench();
  const jobs = Array.from({ length: 9 }, () => newJob());
  const poison = jobs[4]?.id;
  const refuse: typeof recordChanges = (db, params) => {
    if (!params.changes.jobs.some(({ id }) => id === poison)) return recordChanges(db, params);
    return Promise.reject(
      Object.assign(new Error('value out of range'), { code: '22003', severity: 'ERROR' }),
    );
  };
  const recorder = await bench.start({ ports: { recordChanges: refuse } });
  await Promise.all(jobs.map((job) => bench.events.publish(settledEvent(job))));
  await recordedAll(bench);
  const rows = await Promise.all(jobs.map(({ id }) => getJob(bench.db, id)));
  expect(rows.map((row) => row?.state)).toEqual(
    jobs.map(({ id }) => (id === poison ? undefined : 'succeeded')),
  );
  expect(recorder.counts()).toMatchObject({ skippedBatches: 0, skippedEvents: 1 });
});

test('what fails around the commit is recorded by the next try', async () => {
  const bench = await createRecorderBench();
  let calls = 0;
  const shaky: typeof recordChanges = async (db, params) => {
    calls += 1;
    if (calls === 1) throw new Error('before the commit');
    const recorded = await recordChanges(db, params);
    if (calls === 2) throw new Error('after the commit');
    return recorded;
  };
  const recorder = await bench.start({ ports: { recordChanges: shaky } });
  const job = newJob();
  await bench.events.publish(settledEvent(job));
  await recordedAll(bench);
  expect(calls).toBe(3);
  expect((await getJob(bench.db, job.id))?.attempts).toHaveLength(1);
  expect(recorder.counts()).toMatchObject({ batches: 1, events: 1, skippedEvents: 0 });
});

test('what cannot be recorded goes back to the other recorder', async () => {
  const bench = await createRecorderBench();
  const never: typeof recordChanges = () => Promise.reject(new Error('this recorder has no database'));
  const broken = await bench.start({ ports: { recordChanges: never }, times: { holdMs: 100 } });
  const jobs = Array.from({ length: 20 }, () => newJob());
  await Promise.all(jobs.map((job) => bench.events.publish(settledEvent(job))));
  await bench.start();
  await recordedAll(bench);
  expect(await getJob(bench.db, jobs[0]?.id ?? '')).toMatchObject({ state: 'succeeded' });
  expect(broken.counts().batches).toBe(0);
});

test('workers are known with their tasks, and a stop ends their life', async () => {
  const bench = await createRecorderBench();
  await bench.start();
  await bench.events.publish(workerEvent('w1', { tasks: [{ name: 'system.echo' }] }));
  await bench.events.publish(workerEvent('w2'));
  await recordedAll(bench);
  const live = async () => liveWorkers(bench.db, { now: await databaseTime(bench.db), within: 30_000 });
  expect((await live()).map(({ id, tasks }) => [id, tasks])).toEqual([
    ['w1', ['system.echo']],
    ['w2', []],
  ]);
  await bench.events.publish(workerEvent('w1', { state: 'stopped' }));
  await recordedAll(bench);
  expect((await live()).map(({ id }) => id)).toEqual(['w2']);
});

test('its health tells of the progress, and stopping twice is safe', async () => {
  const bench = await createRecorderBench();
  const recorder = await bench.start();
  await recorder.ready();
  const ready = await fetch(`${recorder.healthUrl}/readyz`);
  expect([ready.status, await ready.json()]).toMatchObject([
    200,
    { ok: true, checks: [{ name: 'nats' }, { name: 'database' }, { name: 'recording' }] },
  ]);
  await Promise.all([recorder.stop(), recorder.stop()]);
  await expect(fetch(`${recorder.healthUrl}/readyz`)).rejects.toThrow();
});
