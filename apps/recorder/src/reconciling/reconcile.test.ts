import { type Event, type PublishedEvent, project, publishedEvent } from '@jetbeat/core';
import {
  type EventPublisher,
  findMessage,
  type JobToPublish,
  jobSubject,
  openCancelled,
  parkedSubject,
  parkJob,
  publishJobs,
  silentLog,
  tellWithin,
} from '@jetbeat/jetstream';
import { getJob, insertJobs, notePublished, recordChanges } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createRecorderBench, newJob, startedEvent, traceparent } from '../../../../test/support/recorder.ts';
import { waitUntil } from '../../../../test/support/wait-until.ts';
import { createReleaseMisplaced } from '../releasing/release-misplaced.ts';
import { createGiveUp } from './give-up.ts';
import { type ReconcileParams, reconcile } from './reconcile.ts';

test('while telling hangs what was published is noted by its place, and is told of later without being published again', async () => {
  const { db, bus, events } = await createRecorderBench();
  const [placed, lost] = [newJob(), newJob()];
  const ids = [placed.id, lost.id];
  const row = { traceparent: traceparent(), totalLimitMs: 60_000, origin: 'api', state: 'queued' } as const;
  await insertJobs(
    db,
    [placed, lost].map((envelope) => ({ ...row, envelope })),
  );
  const published: string[] = [];
  const publish = (jobs: readonly JobToPublish[]) => {
    published.push(...jobs.map(({ envelope }) => envelope.id));
    return publishJobs(bus, jobs);
  };
  const [stored] = await publishJobs(bus, [{ envelope: placed, traceparent: row.traceparent }]);
  if (!stored?.ok) throw new Error('it was not stored');
  await notePublished(db, [{ id: placed.id, seq: stored.seq, untold: true }]);
  const cancelled = openCancelled(bus, { log: silentLog });
  const params: Omit<ReconcileParams, 'tell'> = {
    db,
    bus,
    publish,
    events,
    cancelled,
    log: silentLog,
    ackWaitMs: 30_000,
    unpublishedAfterMs: -60_000,
    full: false,
    limit: 10,
    streamWatch: { look: async () => {} },
    giveUp: () => {},
    releaseMisplaced: async () => undefined,
  };
  const rows = async () =>
    (await Promise.all(ids.map((id) => getJob(db, id)))).map((job) => [job?.seq, job?.published]);

  const first = await reconcile({ ...params, tell: async () => new Error('EVENTS is away') });
  expect([first, published]).toEqual([{ looked: 2, republished: 1 }, [lost.id]]);
  const places = [stored.seq, expect.any(Number)];
  expect(await rows()).toEqual(places.map((seq) => [seq, false]));

  const told: PublishedEvent[] = [];
  const tell = async (all: readonly PublishedEvent[]) => {
    told.push(...all);
    return undefined;
  };
  const second = await reconcile({ ...params, tell });
  expect([second, published]).toEqual([{ looked: 2, republished: 0 }, [lost.id]]);
  expect(told.map(({ job }) => job).toSorted()).toEqual(ids.toSorted());
  expect(told.find(({ job }) => job === placed.id)).toEqual(publishedEvent(placed, 'a'.repeat(32)));
  expect(await rows()).toEqual(places.map((seq) => [seq, true]));
  await cancelled.close();
});

/** Three jobs are found: nobody knows what the first was asked to do, the second lies in a parking place, the third can be published. */
test('while EVENTS hangs what is lost and what is misplaced hold up nothing, and are told once', async () => {
  const { db, bus } = await createRecorderBench();
  // A lane of its own: what waits in front of a job may be the job.
  const [lost, misplaced, whole] = [newJob({ priority: 'low' }), newJob(), newJob()];
  const row = { traceparent: traceparent(), totalLimitMs: 60_000, origin: 'api', state: 'queued' } as const;
  const inserted = [misplaced, whole].map((envelope) => ({ ...row, envelope }));
  await insertJobs(db, inserted);
  const started = project([startedEvent(lost, { at: Date.now() - 600_000 })]);
  await recordChanges(db, { changes: started, workers: [], now: Date.now() });
  const what = { what: 'doubt' } as const;
  await parkJob(bus, { envelope: misplaced, what, traceparent: row.traceparent });
  const parked = { subject: parkedSubject(bus, { queue: 'default', what, id: misplaced.id }) };

  const asked: string[] = [];
  const { promise: stored, resolve: store } = Promise.withResolvers<{ seq: number }>();
  const publishEvent = (event: Event) => {
    asked.push(`${event.kind} ${'job' in event ? event.job : ''}`);
    return stored;
  };
  const events = { publish: publishEvent } as Partial<EventPublisher> as EventPublisher;
  const warnings: unknown[] = [];
  const log = { ...silentLog, warn: (_: object, text?: string) => void warnings.push(text) };
  const cancelled = openCancelled(bus, { log: silentLog });
  const params: ReconcileParams = {
    db,
    bus,
    events,
    cancelled,
    log,
    ackWaitMs: 0,
    unpublishedAfterMs: -60_000,
    full: false,
    limit: 10,
    publish: (jobs) => publishJobs(bus, jobs),
    tell: tellWithin({ tell: () => stored, log, boundMs: 100 }),
    giveUp: createGiveUp({ events, log }),
    releaseMisplaced: createReleaseMisplaced({ db, bus, events, log, boundMs: 100 }),
    streamWatch: { look: async () => {} },
  };
  // That nothing is left of the first is noted first.
  await reconcile(params);
  expect(await findMessage(bus, { subject: jobSubject(bus, whole) })).toBeDefined();
  for (let pass = 1; pass <= 3; pass++) {
    await waitUntil('it is a millisecond later', async () => (await reconcile(params)).looked === 3);
  }
  expect(asked.toSorted()).toEqual([`ended ${lost.id}`, `released ${misplaced.id}`]);
  expect(warnings.toSorted()).toEqual([
    'jobs in parking places that history does not know are put back later',
    'published jobs are told of later, by reconcile',
  ]);
  expect(await findMessage(bus, parked)).toBeDefined();

  store({ seq: 1 });
  await waitUntil('the place is cleared', async () => (await findMessage(bus, parked)) === undefined);
  await cancelled.close();
});
