import type { JobEnvelope, UniqueAsk } from '@jetbeat/core';
import {
  claimKey,
  findMessage,
  listNotes,
  noteOf,
  publishJobs,
  takeKey,
  timerSubject,
} from '@jetbeat/jetstream';
import { getJob, insertJobs } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import {
  acceptedEvent,
  createRecorderBench,
  newJob,
  type RecorderBench,
  settledEvent,
  startedEvent,
} from '../support/recorder.ts';
import { waitUntil } from '../support/wait-until.ts';

const UNKNOWN_MS = 1_500;
const quick = { keysEveryMs: 50, keyUnknownAfterMs: UNKNOWN_MS, reconcileEveryMs: 60_000 };

const ask = (key: string, facts: Partial<UniqueAsk> = {}): UniqueAsk => ({
  key,
  scope: 'task',
  mode: 'unfinished',
  onConflict: 'existing',
  ...facts,
});
const keyed = (asked: UniqueAsk, facts: Partial<JobEnvelope> = {}) => {
  const { key, scope, mode } = asked;
  return newJob({ unique: { key, scope, mode }, ...facts });
};
const holder = async ({ bus }: RecorderBench, { task, queue, unique }: JobEnvelope) => {
  if (!unique) throw new Error('it has no key');
  return (await noteOf(bus, { task, queue, unique })).note;
};
const untilHeldBy = (bench: RecorderBench, job: JobEnvelope, id: string | undefined) =>
  waitUntil(`its key is held by ${id}`, async () => (await holder(bench, job))?.holder.id === id);
const store = (bench: RecorderBench, envelope: JobEnvelope) =>
  insertJobs(bench.db, [
    {
      envelope,
      state: envelope.runAt > Date.now() ? 'scheduled' : 'queued',
      totalLimitMs: 60_000,
      origin: 'api',
    },
  ]);

test('the key of a producer that died before it stored its job is freed in time, and not before', async () => {
  const bench = await createRecorderBench();
  const { bus, events } = bench;
  const [ghost, stored, told, timed] = [
    keyed(ask('ghost')),
    keyed(ask('stored')),
    keyed(ask('told')),
    keyed(ask('timed', { mode: 'period', forMs: 3_600_000 })),
  ] as const;
  const began = Date.now();
  for (const job of [ghost, stored, told])
    await takeKey(bus, { ask: ask(job.unique?.key ?? ''), job, now: began });
  const period = ask('timed', { mode: 'period', forMs: 3_600_000 });
  await takeKey(bus, { ask: period, job: timed, now: began });
  await store(bench, stored);
  // Before it begins: a machine that is busy may take longer to start a recorder than a key may be nobody's.
  await events.publish(acceptedEvent(told, 1));
  await bench.start({ times: quick });
  await untilHeldBy(bench, ghost, undefined);
  expect(Date.now() - began).toBeGreaterThan(UNKNOWN_MS - 100);
  await untilHeldBy(bench, timed, undefined);
  for (const job of [stored, told]) expect((await holder(bench, job))?.holder.id).toBe(job.id);
}, 60_000);

test('a job whose place was taken by somebody who died runs after all', async () => {
  const bench = await createRecorderBench();
  const { bus } = bench;
  const first = keyed(ask('place'), { runAt: Date.now() + 600_000 });
  await takeKey(bus, { ask: ask('place'), job: first, now: Date.now() });
  await store(bench, first);
  await publishJobs(bus, [{ envelope: first, at: first.runAt }]);
  const second = keyed(ask('place'));
  await takeKey(bus, { ask: ask('place', { onConflict: 'replace' }), job: second, now: Date.now() });
  expect(await claimKey(bus, bench.events, { job: first, now: Date.now() })).toEqual({ may: 'wait' });
  await bench.start({ times: quick });
  await untilHeldBy(bench, first, first.id);
  expect(await findMessage(bus, { subject: timerSubject(bus, first.id) })).toBeDefined();
  expect(await claimKey(bus, bench.events, { job: first, now: Date.now() })).toMatchObject({ may: 'run' });
  // And who was slow, but did not die, does not run.
  expect(await claimKey(bus, bench.events, { job: second, now: Date.now() })).toEqual({
    may: 'yield',
    why: `job ${first.id} has its unique key now`,
  });
}, 60_000);

test('what somebody has begun to replace who died after he stored his job is cleared away', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const first = keyed(ask('place'), { runAt: Date.now() + 600_000 });
  await takeKey(bus, { ask: ask('place'), job: first, now: Date.now() });
  await store(bench, first);
  await publishJobs(bus, [{ envelope: first, at: first.runAt }]);
  const second = keyed(ask('place'));
  await takeKey(bus, { ask: ask('place', { onConflict: 'replace' }), job: second, now: Date.now() });
  await store(bench, second);
  await bench.start({ times: quick });
  const ended = await waitUntil('the first is over', async () => {
    const job = await getJob(db, first.id);
    return job?.state === 'cancelled' && job;
  });
  expect(ended.reason).toEqual({ code: 'replaced', text: `job ${second.id} has taken its place` });
  expect(await findMessage(bus, { subject: timerSubject(bus, first.id) })).toBeUndefined();
  await waitUntil('its note is done', async () => (await holder(bench, second))?.replaces === undefined);
}, 60_000);

test('the key of a job whose worker died between its end and the release is freed; one that runs keeps it', async () => {
  const bench = await createRecorderBench();
  const { bus, events } = bench;
  const [over, runs] = [keyed(ask('over')), keyed(ask('runs'))] as const;
  for (const job of [over, runs]) {
    await takeKey(bus, { ask: ask(job.unique?.key ?? ''), job, now: Date.now() });
    await events.publish(acceptedEvent(job, 1));
    await claimKey(bus, bench.events, { job: job, now: Date.now() });
  }
  await events.publish(startedEvent(runs));
  await bench.start({ times: quick });
  await events.publish(settledEvent(over));
  await untilHeldBy(bench, over, undefined);
  expect((await holder(bench, runs))?.holder.id).toBe(runs.id);
}, 60_000);

test('keys that were lost are noted again for open jobs, and who came in between gives way', async () => {
  const bench = await createRecorderBench();
  const { bus, events } = bench;
  const [waits, runs, late] = [keyed(ask('waits')), keyed(ask('runs')), keyed(ask('late'))] as const;
  for (const job of [waits, runs, late]) await store(bench, job);
  // The store has lost all of them, and somebody was faster than the recorder.
  const thief = keyed(ask('late'), { createdAt: Date.now() + 5 });
  await takeKey(bus, { ask: ask('late'), job: thief, now: Date.now() });
  await store(bench, thief);
  await events.publish(startedEvent(runs));
  await bench.start({ times: quick });
  await untilHeldBy(bench, waits, waits.id);
  await waitUntil('it is known to run', async () => (await holder(bench, runs))?.begun === true);
  await untilHeldBy(bench, late, late.id);
  expect(await claimKey(bus, bench.events, { job: thief, now: Date.now() })).toEqual({
    may: 'yield',
    why: `job ${late.id} has its unique key now`,
  });
  expect((await listNotes(bus, { from: 1, limit: 10 })).notes).toHaveLength(3);
}, 60_000);
