import { messageId, project } from '@jetbeat/core';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON, newId, sampleJob, settled, started } from '../database/sample.ts';
import { getJob, insertJobs, notePublished } from '../jobs/jobs.ts';
import { rebuildJob } from '../jobs/rebuild.ts';
import { noteStream, settledMarks } from './marks.ts';
import { noteReconcile, reconcileCandidates } from './reconcile.ts';
import { recordChanges } from './record.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('reconcile-test');
  db = made.db;
  return made.drop;
});
beforeEach(async () => {
  await inside(db).run('truncate job, attempt, mark, stream_seen');
});

async function candidates(at: number, limit = 10) {
  const params = { now: at, dueBefore: at - 60_000, unpublishedBefore: at - 5_000, limit };
  return reconcileCandidates(db, params);
}
async function seen(at: number) {
  return (await candidates(at)).map(({ job, cause }) => [job.id, cause]);
}

test('what nobody has published, and what is overdue, is looked up; what is noted, later', async () => {
  const [fresh, delayed, waiting] = [sampleJob(), sampleJob({ runAt: NOON + 600_000 }), sampleJob()];
  await insertJobs(db, [fresh, delayed, waiting]);
  const [a, b, c] = [fresh, delayed, waiting].map((job) => job.envelope.id) as [string, string, string];
  await notePublished(db, [{ id: c, seq: 7 }]);
  expect(await seen(NOON + 4_000)).toEqual([]);
  expect((await seen(NOON + 6_000)).sort()).toEqual(
    [
      [a, 'unpublished'],
      [b, 'unpublished'],
    ].sort(),
  );
  await notePublished(db, [{ id: a, seq: 8 }, { id: b }]);
  expect(await seen(NOON + 59_000)).toEqual([]);
  expect((await seen(NOON + 61_000)).sort()).toEqual(
    [
      [a, 'overdue'],
      [c, 'overdue'],
    ].sort(),
  );

  const [row] = (await candidates(NOON + 61_000)).filter(({ job }) => job.id === c);
  const order = row?.job.order ?? 0;
  const note = { id: c, checkAt: NOON + 61_000, reconcileSeq: 90, reconcileEventsSeq: 40 };
  await noteReconcile(db, [
    { ...note, order: order + 1 },
    { id: a, order, checkAt: NOON + 61_000, published: { seq: 12 } },
  ]);
  expect(await seen(NOON + 62_000)).toEqual([[c, 'overdue']]);
  await noteReconcile(db, [{ ...note, order }]);
  expect(await seen(NOON + 62_000)).toEqual([]);
  const again = (await candidates(NOON + 122_000)).find(({ job }) => job.id === c);
  expect(again).toMatchObject({ reconcileSeq: 90, reconcileEventsSeq: 40, job: { seq: 7 } });
  expect(await getJob(db, a)).toMatchObject({ seq: 12 });

  // A step forward is looked up anew, counted from its own time.
  await recordChanges(db, { changes: project([started({ job: c })]), workers: [], now: NOON });
  const moved = (await candidates(NOON + 122_000)).find(({ job }) => job.id === c);
  expect(moved && 'reconcileSeq' in moved).toBe(false);
  await recordChanges(db, {
    changes: project([settled({ job: c }), settled({ job: a })]),
    workers: [],
    now: NOON,
  });
  expect(await seen(NOON + 122_000)).toEqual([]);
  expect(await seen(NOON + 700_000)).toEqual([[b, 'overdue']]);
});

test('of what nobody was told of the place alone is noted, and it is looked up to be told of', async () => {
  const [job, again] = [sampleJob(), sampleJob()];
  const [a, b] = [job.envelope.id, again.envelope.id];
  await insertJobs(db, [job, again]);
  await notePublished(db, [{ id: a, seq: 7, untold: true }]);
  // However many there are, what nobody has published is looked up.
  expect((await candidates(NOON + 6_000, 1)).map((one) => one.job.id).sort()).toEqual([a, b].sort());
  const [row] = (await candidates(NOON + 6_000)).filter(({ job: { id } }) => id === b);
  const order = row?.job.order ?? 0;
  await noteReconcile(db, [{ id: b, order, checkAt: NOON, published: { seq: 8, untold: true } }]);
  const left = (await candidates(NOON + 6_000)).map(({ job: { id, seq }, cause }) => [id, seq, cause]);
  expect(left.sort()).toEqual(
    [
      [a, 7, 'unpublished'],
      [b, 8, 'unpublished'],
    ].sort(),
  );
  await noteReconcile(db, [{ id: b, order, checkAt: NOON, published: {} }]);
  await notePublished(db, [{ id: a }]);
  expect(await seen(NOON + 6_000)).toEqual([]);
  expect(await getJob(db, a)).toMatchObject({ seq: 7, published: true });
});

test('a look at a delayed job that was published late does not bring it forward', async () => {
  const job = sampleJob({ runAt: NOON + 600_000 });
  await insertJobs(db, [job]);
  const [row] = await candidates(NOON + 6_000);
  await noteReconcile(db, [
    { id: job.envelope.id, order: row?.job.order ?? 0, checkAt: NOON + 6_000, published: {} },
  ]);
  expect(await seen(NOON + 300_000)).toEqual([]);
});

test('the message of an open job is rebuilt from its row', async () => {
  const schedule = { id: newId(), name: 's', nominalTime: NOON, origin: 'plan' };
  const job = sampleJob({ meta: { a: 'b' }, policy: { retry: { attempts: 9 } }, schedule });
  const { id } = job.envelope;
  await insertJobs(db, [job]);
  const rebuilt = async (now = NOON) => {
    const row = await getJob(db, id);
    return row && rebuildJob(row, now);
  };
  expect(await rebuilt()).toEqual({ envelope: job.envelope, traceparent: job.traceparent, repeat: true });
  const next = { state: 'retrying', attempt: 2, runAt: NOON + 5_000 } as const;
  await recordChanges(db, {
    changes: project([settled({ job: id, outcome: 'failed', next })]),
    workers: [],
    now: NOON,
  });
  const retry = await rebuilt();
  expect(retry).toMatchObject({ at: NOON + 5_000, envelope: { attempt: 2, run: 2, parks: 0 } });
  expect(retry && messageId(retry.envelope)).toBe(`${id}.2.2.0`);
  expect(await rebuilt(NOON + 5_000)).not.toHaveProperty('at');
  await recordChanges(db, {
    changes: project([settled({ job: id, attempt: 2, run: 2 })]),
    workers: [],
    now: NOON,
  });
  expect(await rebuilt()).toBeUndefined();
});

test('a job whose input nobody has told is not rebuilt; one that is a trace of its own stays one', async () => {
  const id = newId();
  await recordChanges(db, { changes: project([started({ job: id })]), workers: [], now: NOON });
  const row = await getJob(db, id);
  expect(row && rebuildJob(row, NOON)).toBeUndefined();
  expect(row && rebuildJob({ ...row, inputKnown: true }, NOON)?.traceparent).toBeUndefined();
  const traced = row && rebuildJob({ ...row, inputKnown: true, traceId: 'a'.repeat(32) }, NOON);
  expect(traced?.traceparent).toBe(`00-${'a'.repeat(32)}-${id.replaceAll('-', '').slice(16)}-00`);
});

test('a stream that was replaced, or has lost its tail, makes its sequences forgotten', async () => {
  const job = sampleJob();
  const { id } = job.envelope;
  const fill = async () => {
    await insertJobs(db, [job]);
    await notePublished(db, [{ id, seq: 8 }]);
    const settledSeqs = new Map([['default', 8]]);
    await recordChanges(db, {
      changes: project([]),
      workers: [],
      now: NOON,
      settled: settledSeqs,
    });
  };
  const LATER = Number.POSITIVE_INFINITY;
  const jobs = (created: number, lastSeq: number, readAt = LATER) =>
    noteStream(db, { stream: 'JOBS', created, lastSeq, readAt });
  await fill();
  expect(await jobs(NOON, 10)).toEqual({ reset: false });
  expect(await jobs(NOON, 12)).toEqual({ reset: false });
  expect((await getJob(db, id))?.seq).toBe(8);
  // Read before the last note was written: it is only older.
  expect(await jobs(NOON, 11, 0)).toEqual({ reset: false });
  expect(await jobs(NOON, 11)).toEqual({ reset: true });
  expect((await getJob(db, id))?.seq).toBeUndefined();
  expect(await settledMarks(db)).toEqual(new Map());
  await fill();
  expect(await jobs(NOON + 1, 50)).toEqual({ reset: true });
  expect((await getJob(db, id))?.seq).toBeUndefined();
  await noteStream(db, { stream: 'EVENTS', created: NOON, lastSeq: 3, readAt: LATER });
  expect(await noteStream(db, { stream: 'EVENTS', created: NOON + 1, lastSeq: 1, readAt: LATER })).toEqual({
    reset: true,
  });
});
