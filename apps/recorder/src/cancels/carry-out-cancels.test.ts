import type { JobEnvelope } from '@jetbeat/core';
import { project } from '@jetbeat/core';
import {
  findMessage,
  jobsStreamState,
  openCancelled,
  publishJobs,
  serveHeld,
  timerSubject,
} from '@jetbeat/jetstream';
import {
  beginCancel,
  databaseTime,
  getJob,
  insertJobs,
  noteCancelling,
  notePublished,
  recordChanges,
} from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import {
  createRecorderBench,
  newJob,
  type RecorderBench,
  ROW,
  settledEvent,
  startedEvent,
  workerEvent,
} from '../../../../test/support/recorder.ts';
import { waitUntil } from '../../../../test/support/wait-until.ts';
import { placeWaitingJobs } from '../../../../test/support/waiting-jobs.ts';
import { carryOutPasses } from './carry-out.fixture.ts';
import { carryOutCancels } from './carry-out-cancels.ts';

const cancelsAt = { cancelsAfterMs: 0, cancelsEveryMs: 50 };
const others = { reconcileEveryMs: 60_000, releaseEveryMs: 60_000 };

/** The job in the state, once history has it. */
const untilIn = ({ db }: RecorderBench, { id }: JobEnvelope, state: string) =>
  waitUntil(`it is ${state}`, async () => {
    const job = await getJob(db, id);
    return job?.state === state && job;
  });

/** Notes a cancel, as an API does that dies then. */
const cancel = async ({ db }: RecorderBench, { id }: JobEnvelope) =>
  beginCancel(db, { id, reason: 'enough', now: await databaseTime(db) });

test('a cancel that was only noted is carried out wherever the job waits, and nothing of it stays', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const runAt = Date.now() + 600_000;
  const { all: waiting, retrying, places, kept } = await placeWaitingJobs(bench, { runAt });
  // Its timer is gone: whoever has removed it died before he could end the job.
  const takenOut = newJob({ runAt });
  await insertJobs(db, [{ ...ROW, envelope: takenOut, state: 'scheduled' }]);
  await notePublished(db, [{ id: takenOut.id }]);
  const all = [...waiting, takenOut];
  const marks = openCancelled(bus);
  await bench.start({ times: { ...others, ...cancelsAt, cancelsEveryMs: 60_000 } });
  await untilIn(bench, retrying, 'retrying');
  for (const job of all) await cancel(bench, job);
  const recorder = await bench.start({ times: { ...others, ...cancelsAt } });
  for (const job of all) {
    const ended = await untilIn(bench, job, 'cancelled');
    expect(ended.reason).toEqual({ code: 'cancelled', text: 'enough' });
  }
  for (const place of places) expect(await findMessage(bus, place)).toBeUndefined();
  expect((await jobsStreamState(bus)).messages).toBe(1);
  expect((await getJob(db, kept.id))?.state).toBe('queued');
  // Whatever is handed out all the same is dropped.
  await marks.load();
  expect(marks.ids().sort()).toEqual(all.map(({ id }) => id).sort());
  await recorder.stop();
});

test('what runs is being cancelled, by the word of its worker or not; what ends meanwhile is left to its end', async () => {
  const bench = await createRecorderBench();
  const { bus, db, events } = bench;
  const [begun, told, settling, silent, lost] = ['default', 'default', 'default', 'silent', 'nobody'].map(
    (queue) => newJob({ queue }),
  ) as [JobEnvelope, JobEnvelope, JobEnvelope, JobEnvelope, JobEnvelope];
  const all = [begun, told, settling, silent, lost];
  await insertJobs(
    db,
    all.map((envelope) => ({ ...ROW, envelope, state: 'queued' as const })),
  );
  const started = [told, settling, lost].map((job) => startedEvent(job));
  const now = await databaseTime(db);
  await recordChanges(db, { changes: project(started), workers: [], now });
  await events.publish(workerEvent('w1'));
  await events.publish(workerEvent('w2', { queues: ['silent'] }));
  const position = { attempt: 1, run: 1, parks: 0 };
  let isSettling = true;
  const serving = serveHeld(bus, 'w1', ({ ids, cancel }) =>
    [begun, told, settling]
      .filter(({ id }) => cancel && ids.includes(id))
      .map(({ id }) => ({ id, begun: true, position, settling: id === settling.id && isSettling })),
  );
  for (const job of all) await cancel(bench, job);
  await bench.start({ times: { ...others, cancelsEveryMs: 60_000 } });
  const { pass, put: cancelled, forgetWorkers } = carryOutPasses(bench, { heldWaitMs: 2_500, limit: 9 });
  expect(await pass()).toEqual({ looked: 5, done: 3, more: false });
  expect([...cancelled].sort()).toEqual(all.map(({ id }) => id).sort());
  const states = async () => Promise.all(all.map(async ({ id }) => (await getJob(db, id))?.state));
  expect(await states()).toEqual(['cancelling', 'cancelling', 'running', 'queued', 'cancelling']);
  expect((await getJob(db, begun.id))?.worker).toBe('w1');
  isSettling = false;
  expect(await pass()).toEqual({ looked: 2, done: 1, more: false });
  expect(await states()).toEqual(['cancelling', 'cancelling', 'cancelling', 'queued', 'cancelling']);
  // The one that was silent counts as gone: nobody can have begun its jobs.
  forgetWorkers();
  expect(await pass()).toEqual({ looked: 1, done: 1, more: false });
  expect((await getJob(db, silent.id))?.state).toBe('cancelled');
  expect(await pass()).toEqual({ looked: 0, done: 0, more: false });
  expect(cancelled).toHaveLength(5);
  await serving.close();
});

test('beside a worker that is silent: whose timer is removed ends, whoever removed it and died, and nobody waits for those that cannot end', async () => {
  const bench = await createRecorderBench();
  const { bus, db, events } = bench;
  const runAt = Date.now() + 600_000;
  const at = { queue: 'silent', runAt };
  const [takenOut, gone, scheduled, retrying] = [
    newJob(at),
    newJob(at),
    newJob(at),
    newJob({ queue: 'silent' }),
  ];
  const all = [takenOut, gone, scheduled, retrying];
  await insertJobs(
    db,
    all.map((envelope) => ({ ...ROW, envelope, state: envelope === retrying ? 'queued' : 'scheduled' })),
  );
  await publishJobs(bus, [
    { envelope: scheduled, at: runAt },
    { envelope: { ...retrying, attempt: 2, run: 2 }, at: runAt },
  ]);
  await notePublished(
    db,
    all.map(({ id }) => ({ id })),
  );
  const next = { state: 'retrying', attempt: 2, runAt } as const;
  const retried = settledEvent(retrying, { outcome: 'failed', next });
  await recordChanges(db, { changes: project([retried]), workers: [], now: Date.now() });
  await events.publish(workerEvent('w2', { queues: ['silent'] }));
  for (const job of all) await cancel(bench, job);
  await bench.start({ times: { ...others, cancelsEveryMs: 60_000 } });
  const { pass, put: told, forgetWorkers } = carryOutPasses(bench, { heldWaitMs: 100, limit: 2 });
  expect(await pass()).toEqual({ looked: 2, done: 0, more: true });
  // All are told before anything else.
  expect([...told].sort()).toEqual(all.map(({ id }) => id).sort());
  expect(await pass()).toEqual({ looked: 2, done: 2, more: true });
  expect(await pass()).toEqual({ looked: 0, done: 0, more: false });
  const states = async () => Promise.all(all.map(async ({ id }) => (await getJob(db, id))?.state));
  expect(await states()).toEqual(['scheduled', 'scheduled', 'cancelled', 'cancelled']);
  // Not even an API that is told of a silent worker makes them wait for nobody.
  expect(await noteCancelling(db, { id: gone.id, now: Date.now() })).toBe('scheduled');
  forgetWorkers();
  expect(await pass()).toMatchObject({ done: 2 });
  expect(await states()).toEqual(all.map(() => 'cancelled'));
  expect(told).toHaveLength(4);
});

test('cut off after any step, the next pass ends it', async () => {
  const bench = await createRecorderBench();
  const { bus, db, events } = bench;
  await bench.start({ times: { ...others, cancelsEveryMs: 60_000 } });
  const died = new Error('died');
  const params = {
    db,
    bus,
    events,
    afterMs: 0,
    readToEndMs: 5_000,
    heldWaitMs: 100,
    limit: 9,
    cancelled: { put: async () => {} },
    hearing: { within: () => 60_000 },
    progress: { told: new Set<string>() },
  };
  const dies = {
    'at the mark': { cancelled: { put: () => Promise.reject(died) } },
    'at the question': {
      hearing: {
        within() {
          throw died;
        },
      },
    },
    'when the end is told': { events: { publish: () => Promise.reject(died) } },
  };
  for (const [where, changed] of Object.entries(dies)) {
    const job = newJob({ runAt: Date.now() + 600_000 });
    await insertJobs(db, [{ ...ROW, envelope: job, state: 'scheduled' }]);
    await publishJobs(bus, [{ envelope: job, at: job.runAt }]);
    await cancel(bench, job);
    await expect(carryOutCancels({ ...params, ...changed }), where).rejects.toBe(died);
    await carryOutCancels(params);
    expect((await getJob(db, job.id))?.state, where).toBe('cancelled');
    expect(await findMessage(bus, { subject: timerSubject(bus, job.id) })).toBeUndefined();
  }
});
