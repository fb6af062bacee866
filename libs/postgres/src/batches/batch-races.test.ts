import { randomUUID } from 'node:crypto';
import { replayJobId } from '@jetbeat/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listAudit } from '../access/audit.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON, newId, sampleJob } from '../database/sample.ts';
import { conditionsOf } from '../jobs/job-filter.ts';
import { insertJobs } from '../jobs/jobs.ts';
import type { NewJob } from '../jobs/new-job.ts';
import { within } from '../jobs/searching.ts';
import { fittingOf } from './batch-fitting.ts';
import { lookInTime } from './batch-look.ts';
import { type BatchSamples, LATER, NOTHING, BATCH_NOTE as note, sampleBatches } from './batch-samples.ts';
import { settleBatchStep } from './batch-step.ts';
import { abortBatch, getBatch } from './batches.ts';

let db: Database;
let jobs: BatchSamples['jobs'];
let batch: BatchSamples['batch'];
let take: BatchSamples['take'];
let stop: (() => Promise<void>) | undefined;
beforeAll(async () => {
  ({ db, jobs, batch, take, stop } = await sampleBatches('batch-races-test'));
});
afterAll(() => stop?.());

/** Jobs that are dead since `LATER`. */
async function deadJobs(count: number, task: string): Promise<string[]> {
  const ids = await jobs(count, { task });
  await inside(db).run(`update job set state = 'dead', finished_at = $2 where id = any($1::uuid[])`, [
    ...[ids, new Date(LATER - 1_000)],
  ]);
  return ids;
}
const retryIn = (batchId: string, old: string): NewJob => ({
  ...sampleJob({ id: replayJobId(batchId, old, LATER), createdAt: LATER, runAt: LATER }),
  retryOf: old,
});
const retriesIn = async (ids: readonly string[]) =>
  (
    await inside(db).rows<{ old: string }>(
      'select retry_of as old from job where retry_of = any($1::uuid[]) order by 1',
      [[...ids]],
    )
  ).map(({ old }) => old);

test('two batches with the same jobs, and somebody who retries one by hand, make one new job of each', async () => {
  const ids = await deadJobs(6, 'd.one');
  const ask = { action: 'replay', filter: { states: ['dead'] } } satisfies Parameters<typeof batch>[1];
  const [one, two] = [await batch('d.one', ask), await batch('d.one', ask)].map((made) => made?.id ?? '');
  if (!one || !two) throw new Error('there is no batch');
  const steps = [await take(one, LATER + 1_000), await take(two, LATER + 1_000)];
  expect(steps.map((step) => step?.ids)).toEqual([ids, ids]);
  const [byHand = ''] = ids;
  await insertJobs(db, [{ ...retryIn(randomUUID(), byHand), retryOf: byHand }]);
  await Promise.all(
    steps.map(async (step) => {
      if (!step) throw new Error('there was nothing to take');
      const made = ids.map((old) => retryIn(step.batch.id, old));
      await settleBatchStep(db, { ...NOTHING, step, now: LATER, done: 6, made });
    }),
  );
  expect(await retriesIn(ids)).toEqual(ids);
  const [first, second] = [await getBatch(db, one), await getBatch(db, two)];
  expect((first?.done ?? 0) + (second?.done ?? 0)).toBe(5);
  expect((first?.skipped ?? 0) + (second?.skipped ?? 0)).toBe(7);
  // One that is asked for later finds none.
  expect(await batch('d.one', ask)).toMatchObject({ total: { value: 0, capped: false } });
});

test('those that were retried are left out wherever they stand', async () => {
  const ids = await deadJobs(700, 'd.two');
  const ask = { action: 'retry', filter: { states: ['dead'] } } satisfies Parameters<typeof batch>[1];
  const without = ids.filter((_, n) => n < 600 || n % 2 === 0);
  await insertJobs(
    db,
    without.map((old) => retryIn(randomUUID(), old)),
  );
  const made = await batch('d.two', ask);
  expect(made?.total).toEqual({ value: 50, capped: false });
  const step = await take(made?.id ?? '', LATER + 1_000);
  expect(step?.ids).toEqual(ids.filter((id) => !without.includes(id)));
});

test('one that is aborted while its next jobs are looked for has ended, and begins nothing more', async () => {
  await jobs(3, { task: 'd.three' });
  const id = (await batch('d.three'))?.id ?? '';
  const taken = await whileLocked(async () => {
    const taking = take(id, LATER + 1_000);
    await expect.poll(waiting).toBeGreaterThan(0);
    expect(await abortBatch(db, { id, now: LATER + 1_000, note })).toMatchObject({
      finishedAt: LATER + 1_000,
    });
    return { taking };
  });
  expect(await taken.taking).toBeUndefined();
  expect(await take(id, LATER + 20_000)).toBeUndefined();
  const left = await inside(db).row(`select pending from batch where id = $1`, [id]);
  expect(left).toEqual({ pending: [] });
  expect(await getBatch(db, id)).toMatchObject({ done: 0, finishedAt: LATER + 1_000 });
  const audit = await listAudit(db, { target: { kind: 'batch', id }, limit: 10 });
  expect(audit.map(({ action }) => action)).toEqual(['batch.end', 'batch.abort', 'batch.create']);
});

test('where jobs cannot be looked at in time a batch is made and counted all the same, says so, and goes on later', async () => {
  const ids = await jobs(3, { task: 'd.four' });
  const made = await whileLocked(async () => {
    const slow = await batch('d.four');
    expect(slow?.total.capped).toBe(true);
    expect(await take(slow?.id ?? '', LATER + 1_000)).toBeUndefined();
    return slow;
  });
  const id = made?.id ?? '';
  expect((await getBatch(db, id))?.waitingFor).toContain('too long');
  // Nobody tries again at once.
  expect(await take(id, LATER + 2_000)).toBeUndefined();
  const step = await take(id, LATER + 30_000);
  expect(step?.ids).toEqual(ids);
  if (step) await settleBatchStep(db, { ...NOTHING, step, now: LATER, done: 3 });
  expect(await getBatch(db, id)).toMatchObject({ done: 3, waitingFor: null });
}, 20_000);

test('where jobs take long to be looked at fewer are', async () => {
  const ids = await jobs(300, { task: 'd.seven' });
  const conditions = { ...conditionsOf({ task: 'd.seven' }), rest: [() => 'pg_sleep(0.004) is not null'] };
  // All 290 take longer than a step, and a tenth of 500 far less, also where each sleep lasts four times as long.
  const time = { stepMs: () => 1_000, run: within, isUp: () => false };
  const [lead] = conditions.leads;
  const ask = { conditions, lead, after: ids[9], time, hasCome: false };
  const found = await lookInTime(db, { ...ask, rows: 500 });
  expect(found).toEqual({ rows: 50, looked: 50, ids: ids.slice(10, 60), edge: ids[59] });
});

test('while its rate is used up nothing is written', async () => {
  await jobs(3, { task: 'd.five' });
  const id = (await batch('d.five', { rate: 1 }))?.id ?? '';
  const step = await take(id, LATER + 1_000);
  expect(step?.ids).toHaveLength(1);
  if (step) await settleBatchStep(db, { ...NOTHING, step, now: LATER + 1_000, done: 1 });
  const version = () => inside(db).row('select xmin::text as at from batch where id = $1', [id]);
  const before = await version();
  expect(await take(id, LATER + 1_500)).toBeUndefined();
  expect(await version()).toEqual(before);
  expect((await take(id, LATER + 2_000))?.ids).toHaveLength(1);
});

test('a replay that a version before accepts is a batch', async () => {
  const [id] = await deadJobs(1, 'd.six');
  await inside(db).run(
    `insert into replay (id, filter, rate, by, created_at) values ($1, '{"task": "d.six"}', 5, 'k9', $2)`,
    [id, new Date(LATER)],
  );
  expect(await getBatch(db, id ?? '')).toMatchObject({
    action: 'replay',
    rate: 5,
    filter: { task: 'd.six', states: ['dead'] },
    createdAt: LATER,
  });
  expect((await take(id ?? '', LATER + 1_000))?.ids).toEqual([id]);
});

/** Nobody reads a job while `fn` runs. */
function whileLocked<T>(fn: () => Promise<T>): Promise<T> {
  return inside(db).transaction(async (sql) => {
    await sql.run('lock table job in access exclusive mode');
    return fn();
  });
}
async function waiting(): Promise<number> {
  const row = await inside(db).row<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    [],
  );
  return row?.count ?? 0;
}

test('what is known is begun at once, and the end waits until history has heard of all that was before', async () => {
  const known = await jobs(3, { task: 'r.heard' });
  const id = (await batch('r.heard'))?.id ?? '';
  const why = 'history is behind';
  const behind = async () => why;
  const act = async (now: number, isBehind: boolean) => {
    const step = await take(id, now, isBehind ? behind : undefined);
    if (step) await settleBatchStep(db, { ...NOTHING, step, now, done: step.ids.length });
    // What is cancelled fits no more.
    await inside(db).run(`update job set cancel_requested_at = $2 where id = any($1::uuid[])`, [
      ...[step?.ids ?? [], new Date(now)],
    ]);
    return step?.ids;
  };
  expect(await act(LATER + 1_000, true)).toEqual(known);
  expect(await act(LATER + 2_000, true)).toBeUndefined();
  expect(await getBatch(db, id)).toMatchObject({ done: 3, waitingFor: why, finishedAt: null });
  // It is left alone for a second.
  expect(await act(LATER + 2_500, false)).toBeUndefined();
  expect(await getBatch(db, id)).toMatchObject({ waitingFor: why });
  // What is heard of now was made before what was found first.
  const late = await jobs(1, { task: 'r.heard', createdAt: NOON - 5, runAt: NOON - 5, id: newId(NOON - 5) });
  expect(await act(LATER + 5_000, false)).toBeUndefined();
  expect(await getBatch(db, id)).toMatchObject({ waitingFor: null, finishedAt: null });
  expect(await act(LATER + 6_000, true)).toEqual(late);
  expect(await act(LATER + 7_000, true)).toBeUndefined();
  expect(await getBatch(db, id)).toMatchObject({ done: 3 + late.length, finishedAt: LATER + 7_000 });
});

test('when history has been heard out, what had failed is tried and counted once more, and what was run now is let be', async () => {
  const runAt = Date.UTC(2100, 0, 1);
  const [moved = '', bad = '', putOff = ''] = await jobs(3, { task: 'r.again', runAt });
  const move = (id: string, at: number, state: string) =>
    inside(db).run(`update job set moved_below = 32, run_at = $2, state = $3 where id = $1`, [
      ...[id, new Date(at), state],
    ]);
  await move(putOff, runAt + 1, 'scheduled');
  const states = ['scheduled', 'retrying'] as const;
  const id = (await batch('r.again', { action: 'run-now', filter: { states } }))?.id ?? '';
  const failures = [{ jobId: bad, code: 'input_unknown', message: 'no' }];
  const behind = async () => 'history is behind';
  const first = await take(id, LATER + 1_000, behind);
  expect(first?.ids).toEqual([moved, bad, putOff]);
  if (first) await settleBatchStep(db, { ...NOTHING, step: first, now: LATER, done: 2, failures });
  // It has run, and waits for its next attempt.
  for (const one of [moved, putOff]) await move(one, LATER + 1_500, 'retrying');
  expect(await take(id, LATER + 2_000, behind)).toBeUndefined();
  expect(await getBatch(db, id)).toMatchObject({ done: 2, failed: 1 });
  expect(await take(id, LATER + 5_000)).toBeUndefined();
  const second = await take(id, LATER + 6_000);
  expect(second?.ids).toEqual([bad]);
  if (second) await settleBatchStep(db, { ...NOTHING, step: second, now: LATER, failures });
  expect(await take(id, LATER + 7_000)).toBeUndefined();
  expect(await getBatch(db, id)).toMatchObject({ done: 2, failed: 1, failures, finishedAt: LATER + 7_000 });
});

test('what has gone on since it was found is none of the batch, but what it has begun to cancel is', async () => {
  const [waits = '', runs = '', stopped = '', other = ''] = await jobs(4, { task: 'r.fits' });
  const made = await batch('r.fits', { filter: { states: ['queued'] } });
  if (!made) throw new Error('there is no batch');
  await inside(db).run(
    `update job set state = 'running', cancel_requested_at = case when id = $2 then $3::timestamptz end where id in ($1, $2)`,
    [runs, stopped, new Date(LATER)],
  );
  const scope = { ...made, queues: undefined };
  expect([...(await fittingOf(db, scope, [waits, runs, stopped, newId()]))].sort()).toEqual(
    [waits, stopped].sort(),
  );
  expect((await fittingOf(db, { ...scope, queues: ['media'] }, [other])).size).toBe(0);
  // Nobody has to be asked for it again.
  expect((await batch('r.fits', { filter: { states: ['queued', 'running'] } }))?.total.value).toBe(3);
});
