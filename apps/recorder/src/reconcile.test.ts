import { type PublishedEvent, publishedEvent } from '@jetbeat/core';
import { type JobToPublish, openCancelled, publishJobs, silentLog } from '@jetbeat/jetstream';
import { getJob, insertJobs, notePublished } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createRecorderBench, newJob, traceparent } from '../../../test/support/recorder.ts';
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
    ...{
      db,
      bus,
      publish,
      events,
      cancelled,
      log: silentLog,
      ackWaitMs: 30_000,
      unpublishedAfterMs: -60_000,
    },
    ...{ full: false, limit: 10, streamWatch: { look: async () => {} } },
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
