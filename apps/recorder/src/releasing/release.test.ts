import { project } from '@jetbeat/core';
import { type EventPublisher, findMessage, jobSubject, parkedSubject, parkJob } from '@jetbeat/jetstream';
import { recordChanges } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createRecorderBench, newJob, parkedEvent, traceparent } from '../../../../test/support/recorder.ts';
import { release } from './release.ts';

test('a parking place is cleared last: until history is told, the job is still in it', async () => {
  const { bus, db } = await createRecorderBench();
  const job = newJob({ parks: 1 });
  await parkJob(bus, { envelope: job, what: { what: 'doubt' }, traceparent: traceparent() });
  const parked = parkedEvent(job, 'doubt');
  await recordChanges(db, { changes: project([parked]), workers: [], now: Date.now() });
  const place = { subject: parkedSubject(bus, { queue: 'default', what: { what: 'doubt' }, id: job.id }) };

  let away = true;
  let published: unknown;
  const events = {
    async publish() {
      published = await findMessage(bus, { subject: jobSubject(bus, job) });
      if (away) throw new Error('EVENTS is away');
      return { seq: 1 };
    },
  } as Partial<EventPublisher> as EventPublisher;
  const params = { db, bus, events, within: 60_000, limit: 10, readToEndMs: 1_000 };
  await expect(release(params)).rejects.toThrow('EVENTS is away');
  expect(published).toMatchObject({ envelope: { id: job.id } });
  expect(await findMessage(bus, place)).toBeDefined();

  away = false;
  expect(await release(params)).toBe(1);
  expect(await findMessage(bus, place)).toBeUndefined();
});
