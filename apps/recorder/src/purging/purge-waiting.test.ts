import type { CancelledKeys } from '@jetbeat/jetstream';
import { parkJob, removeParked } from '@jetbeat/jetstream';
import { beginCancel, insertJobs } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createRecorderBench, newJob, traceparent } from '../../../../test/support/recorder.ts';
import type { PurgeStepParams } from './purge-step.ts';
import { purgeParked } from './purge-waiting.ts';

test('what goes on while it is to be purged keeps no mark of the purge, but that of whoever cancels it at the same moment', async () => {
  const { bus, db, events } = await createRecorderBench();
  const [goes, wanted] = [newJob({ parks: 1 }), newJob({ parks: 1 })];
  const row = { traceparent: traceparent(), totalLimitMs: 60_000, origin: 'api', state: 'queued' } as const;
  await insertJobs(
    db,
    [goes, wanted].map((envelope) => ({ ...row, envelope: { ...envelope, parks: 0 } })),
  );
  for (const envelope of [goes, wanted])
    await parkJob(bus, { envelope, what: { what: 'task', task: envelope.task }, traceparent: traceparent() });
  const marks: (readonly (string | undefined)[])[] = [];
  const cancelled: Partial<CancelledKeys> = {
    has: () => false,
    async put(id, reason) {
      if (reason === 'purged') {
        await removeParked(bus, { id, queue: 'default' });
        if (id === wanted.id) await beginCancel(db, { id, reason: 'enough', now: Date.now() });
      }
      marks.push([id, reason]);
    },
    remove: async (id) => void marks.push([id]),
  };
  const purge = { upTo: 1_000, at: Date.now(), streamCreated: 1, timers: false, by: 'ops', removed: 0 };
  const params = { bus, db, events, cancelled, purge, queue: 'default', from: '1', clock: Date.now };
  expect(await purgeParked(params as unknown as PurgeStepParams)).toEqual({ removed: 0 });
  expect(marks.filter(([id]) => id === goes.id)).toEqual([[goes.id, 'purged'], [goes.id]]);
  expect(marks.filter(([id]) => id === wanted.id)).toEqual([
    [wanted.id, 'purged'],
    [wanted.id],
    [wanted.id, 'enough'],
  ]);
});
