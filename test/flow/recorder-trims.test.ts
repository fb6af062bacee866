import { eventsState, loadSettled, openCancelled, type PublishResult, publishJobs } from '@jetbeat/jetstream';
import { cancelJob, getJob, insertJobs, type recordChanges } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import {
  createRecorderBench,
  newJob,
  parkedEvent,
  ROW,
  returnedEvent,
  settledEvent,
  traceparent,
} from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

const seqOf = (result: PublishResult | undefined) => (result?.ok ? result.seq : Number.NaN);
const quick = { unpublishedAfterMs: 200, reconcileEveryMs: 100, releaseEveryMs: 100, trimEveryMs: 50 };

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
    [gone, there].map((envelope) => ({ ...ROW, envelope, state: 'queued' as const })),
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
