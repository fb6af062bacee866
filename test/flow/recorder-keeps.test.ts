import {
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

test('a job that has begun and is lost comes back, though somebody tried in vain to cancel it', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const job = newJob();
  await insertJobs(db, [{ ...row, envelope: job, state: 'queued' }]);
  await beginCancel(db, { id: job.id, now: Date.now() });
  await bench.events.publish(startedEvent(job, { at: Date.now() - 5_000 }));
  await bench.start({ ackWaitMs: 500, times: quick });
  await waitUntil('it is published again', () => findMessage(bus, { subject: jobSubject(bus, job) }));
  expect(await getJob(db, job.id)).toMatchObject({ state: 'running' });
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
