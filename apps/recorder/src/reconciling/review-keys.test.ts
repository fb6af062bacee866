import {
  type EndedEvent,
  type JobEnvelope,
  type JobEvent,
  project,
  type UniqueAsk,
  type UniqueRef,
} from '@jetbeat/core';
import { noteOf, takeKey } from '@jetbeat/jetstream';
import { insertJobs, openKeyedJobs, recordChanges, withDoubts } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import {
  createRecorderBench,
  newJob,
  type RecorderBench,
  returnedEvent,
  settledEvent,
  startedEvent,
} from '../../../../test/support/recorder.ts';
import { createKeyWatch } from './review-keys.ts';

/** A job that has this key, and maybe has it from another. */
async function take(
  { bus, db }: RecorderBench,
  key: string,
  { replace = false, mode = 'unfinished' }: { replace?: boolean; mode?: UniqueRef['mode'] } = {},
): Promise<JobEnvelope> {
  const scope = 'task' as const;
  const ask: UniqueAsk = { key, scope, mode, onConflict: replace ? 'replace' : 'existing' };
  const job = newJob({ unique: { key, scope, mode } });
  await takeKey(bus, { ask, job, now: Date.now() });
  await insertJobs(db, [{ envelope: job, state: 'queued', totalLimitMs: 60_000, origin: 'api' }]);
  return job;
}

test.each([
  ['in the same page', 10],
  ['behind it', 1],
])('a note that always fails holds up no other that is %s', async (_, limit) => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const replaced = await take(bench, 'bad');
  const bad = await take(bench, 'bad', { replace: true });
  const over = [await take(bench, 'first'), await take(bench, 'second')];
  const changes = project(over.map((job) => settledEvent(job)));
  await recordChanges(db, { changes, workers: [], now: Date.now() });
  const told: string[] = [];
  const publish = async ({ job }: EndedEvent) => {
    told.push(job);
    throw new Error('it is broken');
  };
  const watch = createKeyWatch({
    db,
    bus,
    events: { publish },
    unknownAfterMs: 60_000,
    readToEndMs: 1_000,
    limit,
  });
  const holder = async ({ task, queue, unique }: JobEnvelope) => {
    if (!unique) throw new Error('it has no key');
    return (await noteOf(bus, { task, queue, unique })).note?.holder.id;
  };
  // The pass says what has failed, and the next one goes on behind it.
  await expect(watch.review()).rejects.toThrow('it is broken');
  for (let passes = 1; passes < 3 && limit === 1; passes++)
    expect(await watch.review()).toMatchObject({ changed: 1 });
  expect(await Promise.all(over.map(holder))).toEqual([undefined, undefined]);
  // It comes round again.
  expect(await holder(bad)).toBe(bad.id);
  if (limit === 1) await watch.review().catch(() => {});
  await expect(watch.review()).rejects.toThrow('it is broken');
  expect(new Set(told)).toEqual(new Set([replaced.id]));
});

test('a doubt that is answered with free is no begin: the key is kept until the job has begun', async () => {
  const bench = await createRecorderBench();
  const { bus, db } = bench;
  const job = await take(bench, 'waits', { mode: 'queued' });
  const grant = { job: job.id, worker: 'w', attempt: 1, run: 1, parks: 0, losses: 0 };
  const decide = () => ({ grants: [grant], value: undefined });
  await withDoubts(db, { ids: [job.id], now: Date.now(), within: 30_000, decide });
  const events = { publish: () => Promise.reject(new Error('there is nothing to tell')) };
  const watch = createKeyWatch({ db, bus, events, unknownAfterMs: 60_000, readToEndMs: 1_000, limit: 10 });
  const unique = { key: 'waits', scope: 'task', mode: 'queued' } as const;
  const note = async () => (await noteOf(bus, { ...job, unique })).note;
  expect(await watch.review()).toMatchObject({ changed: 0 });
  expect((await note())?.holder.id).toBe(job.id);
  const open = { after: '00000000-0000-0000-0000-000000000000', limit: 10 };
  expect(await openKeyedJobs(db, open)).toMatchObject([{ id: job.id, state: 'queued' }]);
  const record = (event: JobEvent) =>
    recordChanges(db, { changes: project([event]), workers: [], now: Date.now() });
  // It is given back unbegun, so it waits for a run that is not its first, and has none behind it.
  await record({ ...returnedEvent(job), runId: undefined, startedAt: undefined });
  expect(await watch.review()).toMatchObject({ changed: 0 });
  expect(await openKeyedJobs(db, open)).toMatchObject([{ id: job.id, state: 'queued', run: 1 }]);
  await record(startedEvent(job, { run: 2 }));
  expect(await openKeyedJobs(db, open)).toMatchObject([{ id: job.id, state: 'running', run: 2 }]);
  expect(await watch.review()).toMatchObject({ changed: 1 });
  expect(await note()).toBeUndefined();
});
