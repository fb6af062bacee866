import { project } from '@jetbeat/core';
import {
  findMessage,
  parkedSubject,
  parkJob,
  publishJobs,
  silentLog,
  timerSubject,
} from '@jetbeat/jetstream';
import { insertJobs, openDatabase, recordChanges } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../../../../test/support/database.ts';
import { createRecorderBench, newJob, settledEvent, traceparent } from '../../../../test/support/recorder.ts';
import { createSweep } from './sweep.ts';

const row = { traceparent: traceparent(), totalLimitMs: 60_000, origin: 'api', state: 'queued' } as const;

test('timers and parked messages of ended jobs go, a chunk at a time; those of open jobs stay', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const at = Date.now() + 600_000;
  const waiting = Array.from({ length: 2_100 }, () => newJob({ runAt: at }));
  await publishJobs(
    bus,
    waiting.map((envelope) => ({ envelope, traceparent: traceparent(), at })),
  );
  const [first, last] = [waiting[0], waiting.at(-1)];
  if (!first || !last) throw new Error('no jobs');
  const [parked, open] = [newJob(), newJob()];
  for (const envelope of [parked, open])
    await parkJob(bus, { envelope, what: { what: 'doubt' }, traceparent: traceparent() });
  await insertJobs(
    db,
    [first, last, parked, open].map((envelope) => ({ ...row, envelope })),
  );
  const ended = [first, last, parked].map((job) => settledEvent(job));
  await recordChanges(db, { changes: project(ended), workers: [], now: Date.now() });

  const sweep = createSweep({ db, bus, log: silentLog, succeeded: async () => {} });
  expect(await sweep.ended()).toBeUndefined();
  expect(await findMessage(bus, { subject: timerSubject(bus, first.id) })).toBeDefined();
  sweep.want();
  const passes = [await sweep.ended()];
  // A store that is harmed again in the middle is looked at once more, from its beginning.
  sweep.want();
  while (passes.at(-1) === 0) passes.push(await sweep.ended());
  expect(passes).toEqual([0, 0, 0, 0, 0, 0, 0, undefined]);
  sweep.want('parked');
  expect(await sweep.ended()).toBeUndefined();
  for (const { id } of [first, last])
    expect(await findMessage(bus, { subject: timerSubject(bus, id) })).toBeUndefined();
  const place = (id: string) => ({
    subject: parkedSubject(bus, { queue: 'default', what: { what: 'doubt' }, id }),
  });
  expect(await findMessage(bus, place(parked.id))).toBeUndefined();
  expect(await findMessage(bus, place(open.id))).toBeDefined();
  const second = waiting[1]?.id ?? '';
  expect(await findMessage(bus, { subject: timerSubject(bus, second) })).toBeDefined();
});

test('without PostgreSQL what the consumers are past goes all the same, and the rest is done later', async () => {
  const { bus } = await createRecorderBench();
  const { url, drop } = await createTestDatabase();
  const db = await openDatabase({ url, applicationName: 'sweep' });
  const envelope = newJob({ runAt: Date.now() + 600_000 });
  await publishJobs(bus, [{ envelope, traceparent: traceparent(), at: envelope.runAt }]);
  await db.close();
  await drop();
  const sweep = createSweep({ db, bus, log: silentLog, succeeded: async () => {} });
  sweep.want();
  await expect(sweep.ended()).rejects.toThrow();
  await expect(sweep.passed()).resolves.toBeUndefined();
  // Nothing of it was given up.
  await expect(sweep.ended()).rejects.toThrow();
});
