import { type JobEnvelope, type JobMove, moveJob, orderOf, PHASES } from '@jetbeat/core';
import {
  askDoubt,
  deleteJobMessage,
  eventsState,
  findMessage,
  jobSubject,
  jobsStreamState,
  loadSettled,
  openCancelled,
  type PublishResult,
  publishJobs,
  timerSubject,
} from '@jetbeat/jetstream';
import {
  beginCancel,
  cancelJob,
  getJob,
  insertJobs,
  notePublished,
  type recordChanges,
  writeMove,
} from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import {
  createRecorderBench,
  newJob,
  parkedEvent,
  returnedEvent,
  settledEvent,
  startedEvent,
  traceparent,
} from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

const seqOf = (result: PublishResult | undefined) => (result?.ok ? result.seq : Number.NaN);
const quick = { unpublishedAfterMs: 200, reconcileEveryMs: 100, releaseEveryMs: 100, trimEveryMs: 50 };
const row = { traceparent: traceparent(), totalLimitMs: 60_000, origin: 'api' };

test('a job that was committed and never published is published, delayed ones as timers', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const now = newJob({ meta: { a: 'b' } });
  const later = newJob({ runAt: Date.now() + 600_000 });
  await insertJobs(db, [
    { ...row, envelope: now, state: 'queued' },
    { ...row, envelope: later, state: 'scheduled' },
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
  await insertJobs(db, [{ ...row, envelope: job, state: 'queued' }]);
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
    [gone, waiting].map((envelope) => ({ ...row, envelope, state: 'queued' as const })),
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
  expect(recorder.counts().republished).toBe(1);
  expect((await jobsStreamState(bus)).messages).toBe(2);
});

test('a job whose mover died is published at its new place, and its old message is void wherever it is', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const runAt = Date.now() + 600_000;
  const [later, queued] = [newJob({ runAt }), newJob()];
  await insertJobs(db, [
    { ...row, envelope: later, state: 'scheduled' },
    { ...row, envelope: queued, state: 'queued' },
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
    jobs.map((envelope) => ({ ...row, envelope, state: 'queued' as const })),
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
  await insertJobs(bench.db, [{ ...row, envelope: job, state: 'queued' }]);
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
  await insertJobs(db, [{ ...row, envelope: job, state: 'queued' }]);
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
    ...{ state: 'cancelled', reason: { code: 'cancelled', text: 'cancelled' } },
    attempts: [{ outcome: 'lost' }],
  });
});

test('trimming keeps what is not recorded', async () => {
  const bench = await createRecorderBench();
  const never: typeof recordChanges = () => Promise.reject(new Error('not now'));
  const times = { ...quick, liveMs: 100, holdMs: 50, progressEveryMs: 50 };
  const broken = await bench.start({ times, ports: { recordChanges: never } });
  for (let index = 0; index < 20; index++) await bench.events.publish(settledEvent(newJob()));
  const { lastSeq } = await eventsState(bench.bus);
  // A second later there were many passes over events that are all too old for live readers.
  const from = Date.now();
  await waitUntil('many passes are over', () => Date.now() - from > 1_000);
  expect(await eventsState(bench.bus)).toMatchObject({ firstSeq: 1, lastSeq, recordedUpTo: 0 });
  expect(broken.counts().trimmed).toBe(0);
  await broken.stop();
  await bench.start({ times });
  await waitUntil('all is trimmed', async () => (await eventsState(bench.bus)).messages === 0);
});

test('workers find the highest settled sequence, and cancel keys go when nothing can come any more', async () => {
  const bench = await createRecorderBench();
  const { bus, db, events } = bench;
  await bench.start({ ackWaitMs: 500, times: quick });
  const jobs = Array.from({ length: 3 }, () => newJob({ priority: 'high' }));
  await publishJobs(
    bus,
    jobs.map((envelope) => ({ envelope })),
  );
  for (const seq of [2, 3, 1]) await events.publish(settledEvent(newJob(), { seq }));
  const mark = async () => (await loadSettled(bus, ['default', 'mail'])).get('default');
  await waitUntil('the mark is stored', async () => (await mark()) === 3);
  // JOBS ends at 3: this is of a stream that is no more, and would make every job of the new one suspect.
  await events.publish(settledEvent(newJob(), { seq: 42 }));
  await events.publish(settledEvent(newJob({ queue: 'mail' }), { seq: 1 }));
  await waitUntil('what came after it is stored', async () => (await loadSettled(bus, ['mail'])).has('mail'));
  expect(await mark()).toBe(3);
  // Whatever a message was acknowledged after: none may come again unasked.
  const [parked, returned] = await publishJobs(
    bus,
    [1, 2].map(() => ({ envelope: newJob({ priority: 'high' }) })),
  );
  const waits = newJob({ parks: 1 });
  await events.publish({ ...parkedEvent(waits, 'task'), seq: seqOf(parked) });
  await waitUntil('parked counts', async () => (await mark()) === seqOf(parked));
  // Where it is parked nobody can say by a sequence.
  expect(await getJob(db, waits.id)).not.toHaveProperty('seq');
  await events.publish({ ...returnedEvent(newJob()), seq: seqOf(returned) });
  await waitUntil('given back counts', async () => (await mark()) === seqOf(returned));

  const [gone, there] = [newJob(), newJob({ priority: 'low' })];
  await insertJobs(
    db,
    [gone, there].map((envelope) => ({ ...row, envelope, state: 'queued' as const })),
  );
  await publishJobs(bus, [{ envelope: there, traceparent: traceparent() }]);
  const keys = openCancelled(bus);
  await keys.load();
  for (const { id } of [gone, there]) {
    await keys.put(id);
    await cancelJob(db, { id, reason: { code: 'cancelled', text: 'test' }, now: Date.now() - 5_000 });
  }
  await waitUntil('one key is gone', () => !keys.has(gone.id));
  expect(keys.has(there.id)).toBe(true);
});
