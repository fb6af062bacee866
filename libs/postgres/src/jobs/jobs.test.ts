import { childJobId, project } from '@jetbeat/core';
import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import type { Database } from '../database/database.ts';
import { NOON, newId, runIdOf, sampleJob, settled, started, TRACE } from '../database/sample.ts';
import { recordChanges } from '../history/record.ts';
import { beginCancel, cancelJob, noteCancelling } from './cancel.ts';
import { getJob, insertJobs, notePublished } from './jobs.ts';
import { listJobs } from './list-jobs.ts';
import { openCancels } from './open-cancels.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('jobs-test');
  db = made.db;
  return made.drop;
});

test('a job is kept as it was asked for, once', async () => {
  const parent = newId();
  const schedule = { id: newId(), name: 'report', nominalTime: NOON - 5, origin: 'plan' };
  const id = childJobId(parent, 'x');
  const given = {
    id,
    input: [1, null],
    meta: { a: 'b' },
    policy: { retry: { attempts: 2 } },
    schedule,
    parent,
  };
  const job = sampleJob({ ...given, runAt: NOON + 9_000 });
  expect(await insertJobs(db, [job, sampleJob()])).toHaveLength(2);
  expect(await insertJobs(db, [{ ...job, origin: 'again' }])).toEqual([]);
  expect(await insertJobs(db, [])).toEqual([]);
  const { v: _, ...envelope } = job.envelope;
  expect(await getJob(db, id)).toEqual({
    ...envelope,
    state: 'scheduled',
    order: expect.any(Number),
    inputKnown: true,
    dueAt: NOON + 9_000,
    losses: 0,
    published: false,
    origin: 'plan',
    totalLimitAt: NOON + 69_000,
    traceId: TRACE,
    attempts: [],
    traceparent: job.traceparent,
  });
  expect(await getJob(db, newId())).toBeUndefined();
});

test('a sequence is noted only while nothing later is known', async () => {
  const [first, moved, delayed] = [sampleJob(), sampleJob(), sampleJob({ runAt: NOON + 1 })];
  await insertJobs(db, [first, moved, delayed]);
  const next = { state: 'retrying', attempt: 2, runAt: NOON } as const;
  const events = [settled({ job: moved.envelope.id, outcome: 'failed', next })];
  await recordChanges(db, { changes: project(events), workers: [], now: NOON });
  await notePublished(db, [
    { id: first.envelope.id, seq: 4 },
    { id: moved.envelope.id, seq: 5 },
    { id: delayed.envelope.id },
  ]);
  const seqs = await Promise.all([first, moved, delayed].map((job) => getJob(db, job.envelope.id)));
  expect(seqs.map((job) => [job?.published, job?.seq])).toEqual([
    [true, 4],
    [true, undefined],
    [true, undefined],
  ]);
});

test('jobs are listed newest first, by any of their marks, page by page', async () => {
  const at = (ms: number, fields = {}) =>
    sampleJob({ id: newId(NOON + 86_400_000 * ms), task: 'list.me', ...fields });
  const schedule = { id: newId(), name: 'listed', nominalTime: NOON, origin: 'plan' };
  const jobs = [at(1), at(2, { queue: 'q2' }), at(3, { schedule }), at(4)];
  await insertJobs(db, jobs);
  const [a = '', b = '', c = '', d = ''] = jobs.map((job) => job.envelope.id);
  await recordChanges(db, {
    changes: project([started({ job: a, task: 'list.me' })]),
    workers: [],
    now: NOON,
  });
  const ids = async (params: Partial<Parameters<typeof listJobs>[1]>) =>
    (await listJobs(db, { task: 'list.me', limit: 10, ...params })).jobs.map(({ id }) => id);
  expect(await ids({})).toEqual([d, c, b, a]);
  expect(await ids({ limit: 2 })).toEqual([d, c]);
  expect(await ids({ limit: 2, after: c })).toEqual([b, a]);
  expect(await ids({ states: ['running', 'dead'] })).toEqual([a]);
  expect(await ids({ queue: 'q2', states: ['queued'] })).toEqual([b]);
  expect(await ids({ schedule: 'listed' })).toEqual([c]);
  expect(await ids({ task: 'none' })).toEqual([]);
  const page = await listJobs(db, { states: ['running'], task: 'list.me', limit: 1 });
  expect(page.jobs[0]?.attempts).toHaveLength(1);
});

test('what is large is cut in a list, and whole in the job', async () => {
  const long = 'é'.repeat(30_000);
  const meta = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`k${index}`, 'm'.repeat(1_000)]));
  const job = sampleJob({ task: 'list.large', input: { long }, meta });
  const plain = sampleJob({ task: 'list.large', input: null });
  const { id } = job.envelope;
  await insertJobs(db, [job, plain]);
  const error = { name: 'Error', message: long, stack: long, code: 'E_LONG' };
  const last = { task: 'list.large', run: 30, runId: runIdOf(30) };
  const reason = { code: 'rejected', text: long };
  const runs = Array.from({ length: 29 }, (_, index) => {
    const next = { state: 'retrying', attempt: 1, runAt: NOON } as const;
    return settled({
      job: id,
      task: 'list.large',
      run: index + 1,
      runId: runIdOf(index + 1),
      outcome: 'snoozed',
      next,
    });
  });
  const end = settled({
    job: id,
    ...last,
    outcome: 'rejected',
    error,
    next: { state: 'dead', reason },
    result: [long],
  });
  await recordChanges(db, { changes: project([...runs, end]), workers: [], now: NOON });
  const { jobs: listed } = await listJobs(db, { task: 'list.large', limit: 10 });
  const found = listed.find((one) => one.id === id);
  expect(found?.cut).toEqual(['input', 'meta', 'result', 'reason', 'error', 'attempts']);
  expect(found).toMatchObject({
    input: null,
    reason: { code: 'rejected', text: long.slice(0, 256) },
    error: { name: 'Error', code: 'E_LONG', message: long.slice(0, 256) },
  });
  expect([found?.result, found?.meta, found?.error?.stack]).toEqual([undefined, undefined, undefined]);
  expect(found?.attempts.map(({ run }) => run)).toEqual(Array.from({ length: 20 }, (_, index) => index + 11));
  expect(JSON.stringify(found).length).toBeLessThan(8_000);
  expect(listed.find((one) => one.id === plain.envelope.id)).toMatchObject({ cut: [], attempts: [] });
  const whole = await getJob(db, id);
  expect(whole).toMatchObject({ input: { long }, meta, error, reason, result: [long] });
  expect(whole?.attempts).toHaveLength(30);
  expect(whole).not.toHaveProperty('cut');
});

test.each([
  ['x'.repeat(4_094), []],
  ['x'.repeat(4_095), ['input']],
  ['é'.repeat(2_047), []],
  ['é'.repeat(2_048), ['input']],
  ['é'.repeat(5_000), ['input']],
  ['\n'.repeat(2_048), ['input']],
  [null, []],
])('4,096 bytes of JSON are not large, one more is (%#)', async (input, cut) => {
  const job = sampleJob({ task: 'list.edge', input });
  await insertJobs(db, [job]);
  const { jobs: listed } = await listJobs(db, { task: 'list.edge', limit: 10 });
  const found = listed.find(({ id }) => id === job.envelope.id);
  expect(found).toMatchObject({ cut, input: cut.length === 0 ? input : null });
});

test('only what has not begun is cancelled, once', async () => {
  const [waiting, running] = [sampleJob({ runAt: NOON + 5 }), sampleJob()];
  await insertJobs(db, [waiting, running]);
  const { id } = waiting.envelope;
  const reason = { code: 'cancelled', text: 'no longer wanted' };
  expect(await beginCancel(db, { id, reason: 'later', now: NOON })).toMatchObject({
    state: 'scheduled',
    cancelRequestedAt: NOON,
  });
  expect(await beginCancel(db, { id, now: NOON + 1 })).toMatchObject({
    cancelRequestedAt: NOON,
    cancelReason: 'later',
  });
  expect(await cancelJob(db, { id, reason, now: NOON + 2 })).toEqual({ cancelled: true, state: 'cancelled' });
  expect(await cancelJob(db, { id, reason, now: NOON + 3 })).toEqual({
    cancelled: false,
    state: 'cancelled',
  });
  expect(await getJob(db, id)).toMatchObject({ state: 'cancelled', reason, finishedAt: NOON + 2 });

  const other = running.envelope.id;
  await recordChanges(db, { changes: project([started({ job: other })]), workers: [], now: NOON });
  const seen = await beginCancel(db, { id: other, now: NOON });
  expect(seen?.state).toBe('running');
  expect(seen?.cancelRequestedAt).toBe(NOON);
  expect(await cancelJob(db, { id: other, reason, now: NOON })).toEqual({
    cancelled: false,
    state: 'running',
  });
  // What goes on as if nobody had cancelled it.
  const open = async (before: number) =>
    (await openCancels(db, { before, limit: 9 })).map((job) => job.id).filter((one) => one === other);
  expect([await open(NOON - 1), await open(NOON)]).toEqual([[], [other]]);
  await noteCancelling(db, { id: other, now: NOON });
  expect(await open(NOON)).toEqual([]);
  expect(await cancelJob(db, { id: other, reason, now: NOON + 200, lost: true })).toMatchObject({
    cancelled: true,
  });
  expect((await getJob(db, other))?.attempts).toMatchObject([{ outcome: 'lost', finishedAt: NOON + 200 }]);
  // Should nobody have it after all, it is not looked for at the end of its wait, but soon.
  const waits = newId();
  await insertJobs(db, [sampleJob({ id: waits, runAt: NOON + 9_000 })]);
  expect(await noteCancelling(db, { id: waits, now: NOON })).toBe('scheduled');
  expect(await noteCancelling(db, { id: waits, now: NOON, running: { worker: 'w1' } })).toBe('cancelling');
  expect((await getJob(db, waits))?.dueAt).toBe(NOON);
  // What is heard late of the cancelled step changes nothing.
  expect(
    await recordChanges(db, { changes: project([started({ job: id })]), workers: [], now: NOON }),
  ).toMatchObject({ late: 1 });
  expect(await beginCancel(db, { id: newId(), now: NOON })).toBeUndefined();
  expect(await cancelJob(db, { id: newId(), reason, now: NOON })).toBeUndefined();
});
