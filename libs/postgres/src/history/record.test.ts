import { type JobChange, project } from '@jetbeat/core';
import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import type { Database } from '../database/database.ts';
import {
  accepted,
  heartbeat,
  NOON,
  newId,
  runIdOf,
  sampleEnvelope,
  sampleFacts,
  settled,
  started,
} from '../database/sample.ts';
import { listTasks, liveWorkers, tasksServed } from '../fleet/workers.ts';
import { getJob } from '../jobs/jobs.ts';
import { rebuildJob } from '../jobs/rebuild.ts';
import { settledMarks } from './marks.ts';
import { recordChanges } from './record.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('record-test');
  db = made.db;
  return made.drop;
});

function ids(count: number): string[] {
  return Array.from({ length: count }, () => newId());
}

async function record(...events: Parameters<typeof project>[0]) {
  return recordChanges(db, { changes: project(events), workers: [], now: NOON });
}

test('a job that is first heard of by its attempt has no input until `accepted` brings it', async () => {
  const envelope = sampleEnvelope({ input: null, meta: { team: 'a' }, policy: { timeout: { hard: 1_000 } } });
  await record(started({ job: envelope.id, seq: 5 }));
  const before = await getJob(db, envelope.id);
  expect(before).toMatchObject({
    state: 'running',
    inputKnown: false,
    input: null,
    seq: 5,
    origin: 'client',
  });
  expect(await record(accepted(envelope, 5))).toMatchObject({ late: 1 });
  const after = await getJob(db, envelope.id);
  expect(after).toMatchObject({
    state: 'running',
    inputKnown: true,
    input: null,
    meta: { team: 'a' },
    seq: 5,
  });
  expect(after?.traceparent).toMatch(/^00-0af7/);
  expect(after?.attempts).toEqual([
    { runId: runIdOf(1), number: 1, run: 1, worker: 'w1', startedAt: NOON + 100 },
  ]);
});

test('the first end stays, and only a different later word counts as refused', async () => {
  const job = newId();
  const end = settled({ job, result: { sent: 1 }, seq: 9 });
  expect(await record(end)).toEqual({ jobs: 1, attempts: 1, late: 0 });
  expect(await record(end)).toMatchObject({ late: 0 });
  const dead = { state: 'dead', reason: { code: 'rejected', text: 'no' } } as const;
  expect(await record(settled({ job, attempt: 2, run: 2, outcome: 'rejected', next: dead }))).toMatchObject({
    late: 1,
  });
  expect(await record(started({ job }))).toMatchObject({ late: 1 });
  expect(await getJob(db, job)).toMatchObject({
    state: 'succeeded',
    result: { sent: 1 },
    finishedAt: NOON + 200,
    seq: 9,
  });
});

test('a sequence holds only as long as the event that said it gives the state', async () => {
  const job = newId();
  const next = { state: 'retrying', attempt: 2, runAt: NOON + 5_000 } as const;
  await record(started({ job, seq: 3 }), settled({ job, outcome: 'failed', next }));
  const row = await getJob(db, job);
  expect(row).toMatchObject({ state: 'retrying', dueAt: NOON + 5_000, next });
  expect(row && 'seq' in row).toBe(false);
});

test('an outcome stays, except that a late word replaces `lost`', async () => {
  const job = newId();
  const attempt = { job, runId: runIdOf(1), number: 1, run: 1, worker: 'w1', startedAt: NOON };
  const jobs = project([started({ job })]).jobs;
  const write = (outcome: 'lost' | 'failed' | 'succeeded') =>
    recordChanges(db, {
      changes: { jobs, attempts: [{ ...attempt, outcome, finishedAt: NOON + 1 }] },
      workers: [],
      now: NOON,
    });
  await write('lost');
  expect((await getJob(db, job))?.attempts[0]?.outcome).toBe('lost');
  await write('failed');
  await write('succeeded');
  expect((await getJob(db, job))?.attempts.map((known) => known.outcome)).toEqual(['failed']);
});

test('no attempt is left open when its job is over, whoever brought it there; a late word is believed all the same', async () => {
  const [again, gone, first] = [newId(), newId(), newId()];
  await record(started({ job: again }), started({ job: gone }), started({ job: first, attempt: 2 }));
  const reason = { code: 'lost', text: 'its message is gone' };
  const over = {
    ...sampleFacts({ job: gone }),
    kind: 'ended',
    state: 'dead',
    reason,
    at: NOON + 90,
  } as const;
  await record(settled({ job: again, run: 2 }), over, started({ job: first, run: 2 }));
  const outcomes = async (id: string) =>
    (await getJob(db, id))?.attempts.map(({ run, outcome, finishedAt }) => [run, outcome, finishedAt]);
  expect(await outcomes(again)).toEqual([
    [1, 'lost', NOON + 200],
    [2, 'succeeded', NOON + 200],
  ]);
  // It began later, by the clock of its worker.
  expect(await outcomes(gone)).toEqual([[1, 'lost', NOON + 100]]);
  expect((await outcomes(first))?.map(([, outcome]) => outcome)).toEqual([undefined, undefined]);
  await record(settled({ job: gone, outcome: 'failed', next: { state: 'dead', reason } }));
  expect(await outcomes(gone)).toEqual([[1, 'failed', NOON + 200]]);
});

test('what jsonb cannot hold is replaced, and the rest of the batch is written', async () => {
  const job = newId();
  const error = { name: 'E\u0000', message: 'half \ud83d, whole \u{1f600}, \\u0000 stays' };
  await record(settled({ job, outcome: 'failed', error, next: { state: 'succeeded' } }));
  const row = await getJob(db, job);
  expect(row?.error).toEqual({ name: 'E\ufffd', message: 'half \ufffd, whole \u{1f600}, \\u0000 stays' });
});

test('what no column can hold is refused as such, and nothing of the batch is written', async () => {
  const good = settled({ job: newId() });
  const changes = project([good]);
  const bad = project([settled({ job: newId() })]).jobs[0] as JobChange;
  const wrong: Partial<JobChange>[] = [
    { createdAt: Number.NaN },
    { attempt: 2 ** 40 },
    { id: 'x' },
    { seq: 0.5 },
  ];
  for (const change of wrong) {
    const mixed = { ...changes, jobs: [...changes.jobs, { ...bad, ...change }] };
    const recorded = recordChanges(db, { changes: mixed, workers: [], now: NOON });
    await expect(recorded).rejects.toMatchObject({ code: 'unfit_value' });
  }
  expect(await getJob(db, good.job)).toBeUndefined();
});

test('a job that another recorder writes at the same time is merged', async () => {
  const job = newId();
  const [first, second] = await Promise.all([
    record(settled({ job }), ...ids(50).map((id) => started({ job: id }))),
    record(accepted(sampleEnvelope({ id: job })), ...ids(50).map((id) => started({ job: id }))),
  ]);
  expect(first.jobs + second.jobs).toBe(102);
  expect(await getJob(db, job)).toMatchObject({ state: 'succeeded', inputKnown: true });
});

test('marks only rise', async () => {
  const empty = project([]);
  const write = (seq: number) =>
    recordChanges(db, {
      changes: empty,
      workers: [],
      now: NOON,
      settled: new Map([['mail', seq]]),
    });
  await write(7);
  await write(5);
  expect(await settledMarks(db)).toEqual(new Map([['mail', 7]]));
});

test('a worker is known by its last word, and alive by when it was heard', async () => {
  const tasks = [{ name: 'mail.send', queue: 'mail', inputSchema: { type: 'object' } }];
  const write = (now: number, ...workers: ReturnType<typeof heartbeat>[]) =>
    recordChanges(db, { changes: project([]), workers, now });
  await write(NOON, heartbeat({ at: NOON + 1, held: 3 }), heartbeat({ tasks, held: 1 }));
  await write(NOON + 5_000, heartbeat({ at: NOON + 2, held: 4 }), heartbeat({ worker: 'w2' }));
  const live = await liveWorkers(db, { now: NOON + 6_000, within: 3_000 });
  expect(live.map(({ id, held, tasks: names }) => ({ id, held, names }))).toEqual([
    { id: 'w1', held: 4, names: ['mail.send'] },
    { id: 'w2', held: 0, names: [] },
  ]);
  expect(await tasksServed(db, { now: NOON + 6_000, within: 3_000 })).toEqual(
    new Map([['mail.send', new Set(['default'])]]),
  );
  expect(await listTasks(db)).toContainEqual({ ...tasks[0], seenAt: NOON });
  await write(NOON + 6_000, heartbeat({ at: NOON + 3, state: 'stopped' }), heartbeat({ at: NOON + 4 }));
  expect((await liveWorkers(db, { now: NOON + 6_000, within: 3_000 })).map(({ id }) => id)).toEqual(['w2']);
  expect(await liveWorkers(db, { now: NOON + 9_000, within: 3_000 })).toEqual([]);
});

test('a parked job is released when the doubt is over, or a live worker serves its task on its queue', async () => {
  const { parkedToRelease } = await import('../queues/parked.ts');
  const ids = [newId(), newId(), newId()];
  const [doubt = '', served = '', unserved = ''] = ids;
  const parked = { parks: 1, kind: 'parked', at: NOON } as const;
  await record(
    { ...sampleFacts({ job: doubt }), ...parked, what: 'doubt' },
    { ...sampleFacts({ job: served, task: 'a.b' }), ...parked, what: 'task', at: NOON + 1 },
    { ...sampleFacts({ job: unserved, task: 'a.b', queue: 'other' }), ...parked, what: 'task' },
  );
  const ask = () => parkedToRelease(db, { now: NOON, within: 1_000, limit: 10 });
  expect((await ask()).map(({ id, what }) => [id, what])).toEqual([[doubt, 'doubt']]);
  const workers = [heartbeat({ worker: 'w3', tasks: [{ name: 'a.b' }] })];
  await recordChanges(db, { changes: project([]), workers, now: NOON });
  expect((await ask()).map(({ id, what, parks }) => [id, what, parks])).toEqual([
    [doubt, 'doubt', 1],
    [served, 'task', 1],
  ]);
});

test('a worker whose clock was set back is heard of all the same, and what it said last stands', async () => {
  const said = (change: object, now: number) =>
    recordChanges(db, { changes: project([]), workers: [heartbeat({ worker: 'back', ...change })], now });
  await said({ at: NOON, held: 3 }, NOON + 20_000);
  await said({ at: NOON - 3_600_000, held: 1 }, NOON + 30_000);
  const live = () => liveWorkers(db, { now: NOON + 31_000, within: 5_000 });
  expect(await live()).toMatchObject([{ id: 'back', held: 3, heardAt: NOON + 30_000 }]);
  await said({ at: NOON - 3_590_000, state: 'stopped' }, NOON + 30_500);
  expect(await live()).toEqual([]);
});

test('losses that a worker tells of are counted once, and travel with the job when it is published again', async () => {
  const envelope = sampleEnvelope();
  const job = envelope.id;
  const next = { state: 'retrying', attempt: 1, runAt: NOON + 1_000, losses: 2 } as const;
  const lost = settled({ job, outcome: 'lost', run: 2, next });
  await record(accepted(envelope, 5), lost);
  await record(lost);
  const row = await getJob(db, job);
  expect(row).toMatchObject({ state: 'retrying', losses: 2, attempts: [{ outcome: 'lost' }] });
  expect(row && rebuildJob(row, NOON)?.envelope).toMatchObject({ attempt: 1, run: 3, losses: 2 });
  await record(settled({ job, run: 3 }));
  expect(await getJob(db, job)).toMatchObject({ state: 'succeeded', losses: 2 });
});
