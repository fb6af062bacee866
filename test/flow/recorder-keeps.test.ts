import { type JobEnvelope, type JobMove, moveJob, orderOf, PHASES } from '@jetbeat/core';
import {
  askDoubt,
  deleteJobMessage,
  findMessage,
  jobSubject,
  jobsStreamState,
  openCancelled,
  type PublishResult,
  publishJobs,
  timerSubject,
} from '@jetbeat/jetstream';
import { beginCancel, getJob, insertJobs, notePublished, writeMove } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createRecorderBench, newJob, ROW, startedEvent, traceparent } from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

const seqOf = (result: PublishResult | undefined) => (result?.ok ? result.seq : Number.NaN);
const quick = { unpublishedAfterMs: 200, reconcileEveryMs: 100, releaseEveryMs: 100, trimEveryMs: 50 };

test('a job that was committed and never published is published, delayed ones as timers', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const now = newJob({ meta: { a: 'b' } });
  const later = newJob({ runAt: Date.now() + 600_000 });
  await insertJobs(db, [
    { ...ROW, envelope: now, state: 'queued' },
    { ...ROW, envelope: later, state: 'scheduled' },
  ]);
  const recorder = await bench.start({ times: quick });
  const stored = await waitUntil('it is published', () =>
    findMessage(bus, { subject: jobSubject(bus, now) }),
  );
  expect(stored.envelope).toEqual(now);
  expect(stored.headers.get('Jetbeat-Repeat')).toBe('1');
  expect(stored.traceparent).toBe(traceparent());
  const timer = await waitUntil('it is a timer', () =>
    findMessage(bus, { subject: timerSubject(bus, later.id) }),
  );
  expect(timer.envelope).toEqual(later);
  await waitUntil('both are known as published', async () => {
    const rows = await Promise.all([now.id, later.id].map((id) => getJob(db, id)));
    return rows.every((one) => one?.published === true) && rows[0]?.seq === stored.seq;
  });
  await waitUntil('both are counted', () => recorder.counts().republished === 2);
});

test('a message that was there when nobody had noted it is not doubled', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const job = newJob();
  await insertJobs(db, [{ ...ROW, envelope: job, state: 'queued' }]);
  await publishJobs(bus, [{ envelope: job, traceparent: traceparent() }]);
  await bench.start({ times: quick });
  await waitUntil('it is known as published', async () => (await getJob(db, job.id))?.published === true);
  expect((await jobsStreamState(bus)).messages).toBe(1);
});

test('a message that an operator deleted is published again, one that waits is left alone', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const [gone, waiting] = [newJob(), newJob({ queue: 'default', priority: 'low' })];
  await insertJobs(
    db,
    [gone, waiting].map((envelope) => ({ ...ROW, envelope, state: 'queued' as const })),
  );
  const results = await publishJobs(
    bus,
    [gone, waiting].map((envelope) => ({ envelope, traceparent: traceparent() })),
  );
  const seqs = results.map((result) => (result.ok ? result.seq : -1));
  await notePublished(
    db,
    [gone, waiting].map(({ id }, index) => ({ id, seq: seqs[index] ?? -1 })),
  );
  expect(await deleteJobMessage(bus, seqs[0] ?? -1)).toBe(true);
  const recorder = await bench.start({ ackWaitMs: 500, times: quick });
  const again = await waitUntil('it is published again', () =>
    findMessage(bus, { subject: jobSubject(bus, gone) }),
  );
  expect(again).toMatchObject({ envelope: gone, seq: 3 });
  await waitUntil('its new place is noted', async () => (await getJob(db, gone.id))?.seq === 3);
  await waitUntil('it is counted', () => recorder.counts().republished > 0);
  expect(recorder.counts().republished).toBe(1);
  expect((await jobsStreamState(bus)).messages).toBe(2);
});

test('a job whose mover died is published at its new place, and its old message is void wherever it is', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const runAt = Date.now() + 600_000;
  const [later, queued] = [newJob({ runAt }), newJob()];
  await insertJobs(db, [
    { ...ROW, envelope: later, state: 'scheduled' },
    { ...ROW, envelope: queued, state: 'queued' },
  ]);
  const results = await publishJobs(bus, [{ envelope: later, at: runAt }, { envelope: queued }]);
  await notePublished(db, [{ id: later.id }, { id: queued.id, seq: seqOf(results[1]) }]);
  const move = async (id: string, change: JobMove) => {
    const job = await getJob(db, id);
    const moved = job && moveJob(job, change, Date.now());
    return job && moved && writeMove(db, { job, moved });
  };
  expect(await move(later.id, { runAt: Date.now() })).toMatchObject({ run: 2, published: false });
  expect(await move(queued.id, { priority: 'high' })).toMatchObject({ run: 2, published: false });
  await bench.start({ times: quick });
  const [now, high] = await Promise.all(
    [later, { ...queued, priority: 'high' as const }].map((job) =>
      waitUntil('it is published', async () => {
        const found = await findMessage(bus, { subject: jobSubject(bus, job) });
        return found?.envelope?.run === 2 && found;
      }),
    ),
  );
  expect([now?.envelope?.id, high?.envelope?.id]).toEqual([later.id, queued.id]);
  expect(await findMessage(bus, { subject: timerSubject(bus, later.id) })).toBeUndefined();
  const keys = openCancelled(bus);
  await keys.load();
  const isVoid = ({ id, attempt, run, parks }: JobEnvelope) =>
    keys.isMoved(id, orderOf({ attempt, run, parks }, PHASES.queued));
  expect([later, queued].map(isVoid)).toEqual([true, true]);
  expect([later, queued].map((job) => isVoid({ ...job, run: 2 }))).toEqual([false, false]);
});

test('a job whose message is gone and whose input nobody knows is ended, with that reason', async () => {
  const bench = await createRecorderBench();
  const job = newJob();
  await bench.events.publish(startedEvent(job, { at: Date.now() - 5_000 }));
  await bench.start({ ackWaitMs: 500, times: quick });
  const ended = await waitUntil('it is ended', async () => {
    const found = await getJob(bench.db, job.id);
    return found?.state === 'dead' && found;
  });
  expect(ended.reason).toMatchObject({ code: 'lost' });
});

test('a queue that nobody serves does not keep the jobs of the others from being looked after', async () => {
  const bench = await createRecorderBench();
  const jobs = [newJob({ queue: 'nobody' }), newJob()];
  await insertJobs(
    bench.db,
    jobs.map((envelope) => ({ ...ROW, envelope, state: 'queued' as const })),
  );
  const recorder = await bench.start({ ackWaitMs: 500, times: quick });
  for (const job of jobs)
    await waitUntil('it is published', () => findMessage(bench.bus, { subject: jobSubject(bench.bus, job) }));
  await waitUntil('both are counted', () => recorder.counts().republished === 2);
});

test('what was accepted and not published waits in PostgreSQL while there is no room for new jobs', async () => {
  const bench = await createRecorderBench();
  const job = newJob();
  await publishJobs(bench.bus, [{ envelope: newJob({ queue: 'nobody' }) }]);
  const full = await bench.start({ times: quick, storageLimit: 100 });
  await insertJobs(bench.db, [{ ...ROW, envelope: job, state: 'queued' }]);
  const from = Date.now();
  await waitUntil('many passes are over', () => Date.now() - from > quick.unpublishedAfterMs + 1_000);
  const place = { subject: jobSubject(bench.bus, job) };
  expect(await findMessage(bench.bus, place)).toBeUndefined();
  await full.stop();
  await bench.start({ times: quick });
  await waitUntil('it is published', () => findMessage(bench.bus, place));
});

test('a job that has begun and is lost comes back, and does not run again where somebody has cancelled it', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const job = newJob();
  await insertJobs(db, [{ ...ROW, envelope: job, state: 'queued' }]);
  await beginCancel(db, { id: job.id, now: Date.now() });
  await bench.events.publish(startedEvent(job, { at: Date.now() - 5_000 }));
  await bench.start({ ackWaitMs: 500, times: quick });
  await waitUntil('it is published again', () => findMessage(bus, { subject: jobSubject(bus, job) }));
  expect(await getJob(db, job.id)).toMatchObject({ state: 'running' });
  const { id, attempt, run, parks } = job;
  // Nobody has told the workers of the cancel.
  expect(await askDoubt(bus, [{ job: id, worker: 'next', attempt, run, parks }], 5_000)).toEqual([
    { answer: 'settled' },
  ]);
  expect(await getJob(db, id)).toMatchObject({
    state: 'cancelled',
    reason: { code: 'cancelled', text: 'cancelled' },
    attempts: [{ outcome: 'lost' }],
  });
});
