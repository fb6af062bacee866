import { moveJob, orderOf, PHASES, project } from '@jetbeat/core';
import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import type { Database } from '../database/database.ts';
import { NOON, newId, sampleJob, settled, started } from '../database/sample.ts';
import { withDoubts } from '../history/doubts.ts';
import { reconcileCandidates } from '../history/reconcile.ts';
import { recordChanges } from '../history/record.ts';
import { beginCancel, cancelJob, noteCancelling } from './cancel.ts';
import { jobEndings } from './endings.ts';
import { getJob, insertJobs } from './jobs.ts';
import { undoMove, writeMove } from './move.ts';
import { rebuildJob } from './rebuild.ts';
import { retriesOf } from './retries.ts';

const LATER = NOON + 60_000;
let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('move-test');
  db = made.db;
  return made.drop;
});

async function insert(fields: Parameters<typeof sampleJob>[0] = {}) {
  const job = sampleJob(fields);
  await insertJobs(db, [job]);
  return { id: job.envelope.id, row: await row(job.envelope.id) };
}
async function row(id: string) {
  const found = await getJob(db, id);
  if (!found) throw new Error('there is no such job');
  return found;
}
const tell = (...events: Parameters<typeof project>[0]) =>
  recordChanges(db, { changes: project(events), workers: [], now: NOON });

/** The row as it is, and the move of it. */
function planned(job: Awaited<ReturnType<typeof row>>, change: Parameters<typeof moveJob>[1]) {
  const moved = moveJob(job, change, NOON);
  if (!moved) throw new Error('nothing is to be changed');
  return { job, moved };
}

test('a move is written once, and what is rebuilt of the row is the message of its new place', async () => {
  const { id, row: before } = await insert({ runAt: LATER });
  const plan = planned(before, { runAt: LATER + 5, priority: 'high' });
  const after = await writeMove(db, plan);
  expect(after).toMatchObject({
    state: 'scheduled',
    runAt: LATER + 5,
    dueAt: LATER + 5,
    priority: 'high',
    run: 2,
    published: false,
    movedBelow: plan.moved.below,
    totalLimitAt: (before.totalLimitAt ?? 0) + 5,
  });
  expect(await writeMove(db, plan)).toBeUndefined();
  const rebuilt = rebuildJob(await row(id), NOON);
  expect(rebuilt).toMatchObject({ at: LATER + 5, envelope: { run: 2, runAt: LATER + 5, priority: 'high' } });
  expect(orderOf(rebuilt?.envelope ?? before, PHASES.queued)).toBe(plan.moved.below);
  const found = await reconcileCandidates(db, {
    now: NOON,
    dueBefore: 0,
    unpublishedBefore: NOON + 1,
    limit: 100,
  });
  expect(found.map(({ job, cause }) => [job.id, cause])).toContainEqual([id, 'unpublished']);
});

test('a retry that is moved keeps what follows it; run at once it is the next attempt', async () => {
  const { id } = await insert();
  const next = { state: 'retrying', attempt: 2, runAt: LATER } as const;
  await tell(settled({ job: id, outcome: 'failed', next }));
  const waits = await writeMove(db, planned(await row(id), { runAt: LATER + 5 }));
  expect(waits).toMatchObject({ state: 'retrying', attempt: 1, run: 2, next: { ...next, runAt: LATER + 5 } });
  expect(rebuildJob(await row(id), NOON)?.envelope).toMatchObject({ attempt: 2, run: 3 });
  const now = await writeMove(db, planned(await row(id), { runAt: NOON }));
  expect(now).toMatchObject({ state: 'queued', attempt: 2, run: 4 });
  expect(now?.next).toBeUndefined();
  expect(rebuildJob(await row(id), NOON)?.envelope).toMatchObject({ attempt: 2, run: 4 });
});

test('what an old message of a moved job came to counts for nothing, but an end', async () => {
  const { id, row: before } = await insert({ runAt: LATER });
  await writeMove(db, planned(before, { runAt: LATER + 5 }));
  await tell(started({ job: id, runAt: LATER }));
  expect(await row(id)).toMatchObject({ state: 'scheduled', runAt: LATER + 5 });
  const params = { ids: [id], now: NOON, within: 1_000 };
  const known = await withDoubts(db, { ...params, decide: (jobs) => ({ grants: [], value: jobs.get(id) }) });
  expect(known?.movedBelow).toBe((await row(id)).movedBelow);
  await tell(settled({ job: id, runAt: LATER }));
  expect((await row(id)).state).toBe('succeeded');
  expect(
    await writeMove(db, { job: await row(id), moved: planned(before, { runAt: NOON }).moved }),
  ).toBeUndefined();
});

test('a move that came too late is taken back: the job runs where it was', async () => {
  const { id, row: before } = await insert({ runAt: LATER });
  const plan = planned(before, { runAt: LATER + 5, priority: 'low' });
  await writeMove(db, plan);
  const position = { attempt: 1, run: 1, parks: 0 };
  await undoMove(db, { ...plan, running: { worker: 'w1', position }, now: NOON });
  expect(await row(id)).toMatchObject({
    state: 'running',
    run: 1,
    priority: 'normal',
    runAt: LATER,
    worker: 'w1',
    published: true,
    order: orderOf(position, PHASES.running),
    totalLimitAt: before.totalLimitAt,
  });
  expect((await row(id)).movedBelow).toBeUndefined();
});

test('what is being cancelled is not moved', async () => {
  const { id, row: before } = await insert({ runAt: LATER });
  await beginCancel(db, { id, now: NOON });
  expect(await writeMove(db, planned(before, { runAt: NOON }))).toBeUndefined();
});

test('a job that is cancelled while it runs is cancelling, whatever is told of its start', async () => {
  const { id } = await insert();
  const position = { attempt: 1, run: 1, parks: 0 };
  expect((await beginCancel(db, { id, reason: 'x', now: NOON }))?.state).toBe('queued');
  expect(await noteCancelling(db, { id, now: NOON, running: { worker: 'w1', position } })).toBe('cancelling');
  await tell(started({ job: id }));
  expect(await row(id)).toMatchObject({ state: 'cancelling', worker: 'w1', attempts: [{ number: 1 }] });
  expect(await cancelJob(db, { id, now: NOON, reason: { code: 'x', text: 'x' } })).toEqual({
    cancelled: false,
    state: 'cancelling',
  });
  const reason = { code: 'cancelled', text: 'x' };
  await tell(settled({ job: id, outcome: 'cancelled', next: { state: 'cancelled', reason } }));
  expect(await row(id)).toMatchObject({ state: 'cancelled', reason });
  expect(await noteCancelling(db, { id, now: NOON })).toBe('cancelled');
  expect(await noteCancelling(db, { id: newId(), now: NOON })).toBeUndefined();

  const later = await insert();
  const next = { state: 'retrying', attempt: 2, runAt: LATER } as const;
  await tell(settled({ job: later.id, outcome: 'failed', next }));
  expect(await noteCancelling(db, { id: later.id, now: NOON, running: { worker: 'w1', position } })).toBe(
    'retrying',
  );
  // Perhaps nobody has a message of it any more, and nobody would end it.
  expect(await noteCancelling(db, { id: later.id, now: NOON })).toBe('retrying');
  expect((await row(later.id)).order).toBe(orderOf(position, PHASES.settled));
  expect(await cancelJob(db, { id: later.id, now: NOON, reason, lost: true })).toMatchObject({
    cancelled: true,
  });
});

test('retries are found by the job that they were made from', async () => {
  const { id } = await insert();
  await tell(settled({ job: id, result: { a: 1 } }));
  const retry = { ...sampleJob(), retryOf: id };
  await insertJobs(db, [retry]);
  expect(await retriesOf(db, await row(id))).toEqual([retry.envelope.id]);
  expect((await row(retry.envelope.id)).retryOf).toBe(id);
  expect(await retriesOf(db, await row(retry.envelope.id))).toEqual([]);
  expect(await jobEndings(db, [id, newId()])).toEqual([
    { id, state: 'succeeded', task: 'mail.send', result: { a: 1 } },
  ]);
});
