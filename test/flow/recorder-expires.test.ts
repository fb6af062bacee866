import type { JobEnvelope } from '@jetbeat/core';
import {
  findMessage,
  jobSubject,
  jobsStreamState,
  parkJob,
  publishJobs,
  serveHeld,
} from '@jetbeat/jetstream';
import { getJob, insertJobs } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import {
  acceptedEvent,
  createRecorderBench,
  newJob,
  parkedEvent,
  type RecorderBench,
  ROW,
  settledEvent,
  startedEvent,
  workerEvent,
} from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';
import { placeWaitingJobs } from '../support/waiting-jobs.ts';

const quick = {
  expireEveryMs: 50,
  expireGraceMs: 100,
  // Nothing else looks after them, however long the machine takes.
  reconcileEveryMs: 60_000,
  unpublishedAfterMs: 60_000,
  releaseEveryMs: 60_000,
};
const expired = { state: 'expired', reason: { code: 'expired' } };

const stateOf = async (bench: RecorderBench, id: string) => (await getJob(bench.db, id))?.state;
const untilExpired = (bench: RecorderBench, { id }: JobEnvelope) =>
  waitUntil('it has expired', async () => {
    const job = await getJob(bench.db, id);
    return job?.state === 'expired' && job;
  });

test('what nobody takes expires, wherever it waits, and nothing of it stays in JetStream', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const now = Date.now();
  const soon = now + 700;
  const { all, retrying, error, places, kept } = await placeWaitingJobs(bench, {
    change: { expiresAt: soon },
    kept: { expiresAt: now + 600_000 },
    runAt: now + 600_000,
  });
  const recorder = await bench.start({ times: quick });
  for (const job of all) {
    const row = await untilExpired(bench, job);
    expect(row).toMatchObject({ ...expired, expiresAt: soon });
    expect(row.finishedAt).toBeGreaterThanOrEqual(soon);
    expect(row.reason?.text).toBe(
      `no worker has begun it in time: it expired at ${new Date(soon).toISOString()}`,
    );
  }
  expect((await getJob(db, retrying.id))?.attempts).toMatchObject([{ outcome: 'failed', error }]);
  for (const place of places) expect(await findMessage(bus, place)).toBeUndefined();
  // Only what has time yet is there still.
  expect((await findMessage(bus, { subject: jobSubject(bus, kept) }))?.envelope?.id).toBe(kept.id);
  expect((await jobsStreamState(bus)).messages).toBe(1);
  expect(await stateOf(bench, kept.id)).toBe('queued');
  expect(recorder.counts().expired).toBe(5);
});

test('a client whose job has expired is told of it by history; what comes late changes nothing', async () => {
  const bench = await createRecorderBench();
  const job = newJob({ expiresAt: Date.now() + 300 });
  const [published] = await publishJobs(bench.bus, [{ envelope: job }]);
  await bench.events.publish(acceptedEvent(job, published?.ok ? published.seq : 0));
  await bench.start({ times: quick });
  await untilExpired(bench, job);
  await bench.events.publish(settledEvent(job));
  const last = newJob();
  await bench.events.publish(acceptedEvent(last, 99));
  await waitUntil('history is read on', () => stateOf(bench, last.id));
  expect(await stateOf(bench, job.id)).toBe('expired');
});

test('what a worker has begun is left alone, and so is what a silent one may have begun', async () => {
  const bench = await createRecorderBench();
  const { bus, db, events } = bench;
  const soon = Date.now() + 300;
  const [begun, told, waiting] = [1, 2, 3].map(() => newJob({ expiresAt: soon })) as [
    ...[JobEnvelope, JobEnvelope, JobEnvelope],
  ];
  const silent = newJob({ expiresAt: soon, queue: 'silent' });
  await insertJobs(
    db,
    [begun, told, waiting, silent].map((envelope) => ({ ...ROW, envelope, state: 'queued' as const })),
  );
  await events.publish(workerEvent('w1'));
  await events.publish(workerEvent('w2', { queues: ['silent'] }));
  await events.publish(startedEvent(told));
  const asked: string[] = [];
  const serving = serveHeld(bus, 'w1', ({ ids, cancel }) => {
    asked.push(...ids.filter(() => cancel));
    return ids.filter((id) => id === begun.id).map((id) => ({ id, begun: true }));
  });
  const recorder = await bench.start({ ackWaitMs: 60_000, times: { ...quick, heldWaitMs: 300 } });
  await untilExpired(bench, waiting);
  await waitUntil('it was asked about again', () => asked.filter((id) => id === begun.id).length >= 3);
  expect(asked).toContain(waiting.id);
  expect(await Promise.all([begun, told, silent].map(({ id }) => stateOf(bench, id)))).toEqual([
    ...['queued', 'running', 'queued'],
  ]);
  expect(recorder.counts().expired).toBe(1);
  // The one that was silent is gone for good: nobody can have begun its jobs.
  await events.publish(workerEvent('w2', { queues: ['silent'], state: 'stopped' }));
  await untilExpired(bench, silent);
  await serving.close();
});

test('what was parked in doubt since its worker vanished expires, and its attempt is lost', async () => {
  const bench = await createRecorderBench();
  const job = newJob({ expiresAt: Date.now() + 100 });
  await bench.events.publish(acceptedEvent(job, 1));
  await bench.events.publish(startedEvent(job));
  const parked = { ...job, parks: 1 };
  await parkJob(bench.bus, { envelope: parked, what: { what: 'doubt' } });
  await bench.events.publish(parkedEvent(parked, 'doubt'));
  await bench.start({ times: quick });
  const row = await untilExpired(bench, job);
  expect(row).toMatchObject({ ...expired, attempts: [{ number: 1, outcome: 'lost' }] });
});

test('more than one pass takes, by two recorders at once: each is told of once in history', async () => {
  const bench = await createRecorderBench();
  const jobs = Array.from({ length: 450 }, () => newJob({ expiresAt: Date.now() + 100 }));
  await insertJobs(
    bench.db,
    jobs.map((envelope) => ({ ...ROW, envelope, state: 'queued' as const })),
  );
  await publishJobs(
    bench.bus,
    jobs.map((envelope) => ({ envelope })),
  );
  await Promise.all([bench.start({ times: quick }), bench.start({ times: quick })]);
  await waitUntil('all have expired', async () => {
    const states = await Promise.all(jobs.slice(0, 450).map(({ id }) => stateOf(bench, id)));
    return states.every((state) => state === 'expired');
  });
});
