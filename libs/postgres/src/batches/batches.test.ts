import { replayJobId } from '@jetbeat/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listAudit } from '../access/audit.ts';
import type { Database } from '../database/database.ts';
import { NOON, newId, sampleJob } from '../database/sample.ts';
import { getJob } from '../jobs/jobs.ts';
import type { NewJob } from '../jobs/new-job.ts';
import { type BatchFilter, countBatch, describeBatch } from './batch-filter.ts';
import { type BatchSamples, LATER, NOTHING, BATCH_NOTE as note, sampleBatches } from './batch-samples.ts';
import { jobsOf, settleBatchStep } from './batch-step.ts';
import { abortBatch, batchState, createBatch, getBatch, openBatches } from './batches.ts';
import { listBatches } from './list-batches.ts';

let db: Database;
let jobs: BatchSamples['jobs'];
let batch: BatchSamples['batch'];
let take: BatchSamples['take'];
let stop: (() => Promise<void>) | undefined;
beforeAll(async () => {
  ({ db, jobs, batch, take, stop } = await sampleBatches('batches-test'));
});
afterAll(() => stop?.());

test('a batch is for what fits when it is asked for, oldest first, and each job comes once', async () => {
  const ids = await jobs(250, { task: 'a.one' });
  const made = await batch('a.one', { filter: { from: NOON } });
  expect(made).toMatchObject({ total: { value: 250, capped: false }, done: 0, finishedAt: null });
  const id = made?.id ?? '';
  await jobs(3, { task: 'a.one', id: newId(LATER + 5), createdAt: LATER + 5 });
  const seen: string[] = [];
  for (let now = LATER + 1_000; ; now += 1_000) {
    const step = await take(id, now);
    if (!step) break;
    seen.push(...step.ids);
    await settleBatchStep(db, { ...NOTHING, step, now, done: step.ids.length });
  }
  expect(seen).toEqual(ids);
  const over = await getBatch(db, id);
  expect(over).toMatchObject({ done: 250, skipped: 0, failed: 0 });
  expect(over && batchState(over)).toBe('done');
  expect(await openBatches(db)).not.toContain(id);
  const audit = await listAudit(db, { target: { kind: 'batch', id }, limit: 10 });
  expect(audit.map(({ action, actor, reason }) => [action, actor.name, reason])).toEqual([
    ['batch.end', 'ops', 'too many'],
    ['batch.create', 'ops', 'too many'],
  ]);
  expect(audit[0]?.after).toMatchObject({ state: 'done', done: 250 });
  expect(audit[1]?.after).toMatchObject({
    filter: { state: ['queued'], task: 'a.one', from: new Date(NOON).toISOString() },
  });
  expect(JSON.stringify(audit[1]?.after)).not.toContain('states');
});

test('who comes after a crash gets the same jobs, and whoever was too slow changes nothing any more', async () => {
  const ids = await jobs(40, { task: 'a.two' });
  const id = (await batch('a.two'))?.id ?? '';
  const first = await take(id, LATER + 1_000);
  expect(first?.ids).toEqual(ids);
  expect(await take(id, LATER + 2_000)).toBeUndefined();
  const second = await take(id, LATER + 12_000);
  expect(second?.ids).toEqual(ids);
  if (!first || !second) throw new Error('there was nothing to take');
  const again = (old: string): NewJob => ({
    ...sampleJob({ id: replayJobId(id, old, LATER) }),
    retryOf: old,
  });
  const outcome = { ...NOTHING, done: 40, made: ids.map(again), now: LATER };
  expect(await settleBatchStep(db, { ...outcome, step: first })).toBeUndefined();
  expect(await settleBatchStep(db, { ...outcome, step: second })).toHaveLength(40);
  expect(await settleBatchStep(db, { ...outcome, step: second })).toBeUndefined();
  expect(await getBatch(db, id)).toMatchObject({ done: 40 });
  expect(
    await jobsOf(
      db,
      ids.map((old) => replayJobId(id, old, LATER)),
    ),
  ).toHaveLength(40);
});

test('what could not be done now comes again, and what failed is listed', async () => {
  const ids = await jobs(5, { task: 'a.three' });
  const id = (await batch('a.three'))?.id ?? '';
  const [bad = '', ...rest] = ids;
  const step = await take(id, LATER + 1_000);
  if (!step) throw new Error('there was nothing to take');
  const failures = [{ jobId: bad, code: 'internal_error', message: 'no' }];
  await settleBatchStep(db, {
    ...NOTHING,
    step,
    now: LATER,
    failures,
    left: rest,
    waitingFor: 'NATS is away',
  });
  expect(await getBatch(db, id)).toMatchObject({ failed: 1, failures, waitingFor: 'NATS is away' });
  for (const tries of [0, 1]) {
    const next = await take(id, LATER + 2_000);
    expect(next).toMatchObject({ ids: rest, tries });
    if (next)
      await settleBatchStep(db, { ...NOTHING, step: next, now: LATER, left: rest, waitingFor: 'still' });
  }
  // Aborted, it does not wait for what it has not got on with.
  expect(await abortBatch(db, { id, now: LATER, note })).toMatchObject({ finishedAt: null });
  expect(await take(id, LATER + 3_000)).toBeUndefined();
  expect(await getBatch(db, id)).toMatchObject({ failed: 1, skipped: 4, waitingFor: null });
  expect(await abortBatch(db, { id, now: LATER, note })).toMatchObject({ id });
});

test('it keeps to its rate and its limit', async () => {
  await jobs(50, { task: 'a.four' });
  const id = (await batch('a.four', { rate: 10, most: 15 }))?.id ?? '';
  const taken: number[] = [];
  for (let now = LATER; now <= LATER + 5_000; now += 250) {
    const step = await take(id, now);
    if (!step) continue;
    taken.push(step.ids.length);
    await settleBatchStep(db, { ...NOTHING, step, now, done: step.ids.length });
  }
  expect(taken.every((count) => count <= 3)).toBe(true);
  expect(await getBatch(db, id)).toMatchObject({ done: 15, finishedAt: LATER + 1_750 });
});

test('filters hold together: ids, notes, searches, time, and the queues of whoever asks', async () => {
  const [one = ''] = await jobs(3, {
    task: 'b.one',
    queue: 'mail',
    meta: { customer: '7' },
    input: { n: 1 },
  });
  await jobs(4, { task: 'b.one', queue: 'media' });
  const count = async (filter: Partial<BatchFilter>, queues?: string[]) => {
    const scope = { action: 'cancel', queues, createdAt: LATER } as const;
    return (await countBatch(db, { ...scope, filter: { states: ['queued', 'scheduled'], ...filter } }, 5))
      .value;
  };
  expect(await count({ task: 'b.one' })).toBe(5);
  expect(await count({ task: 'b.one', queue: 'mail' })).toBe(3);
  expect(await count({ task: 'b.one' }, ['media', 'other'])).toBe(4);
  expect(await count({ task: 'b.one' }, [])).toBe(0);
  expect(await count({ ids: [one, newId()] })).toBe(1);
  expect(await count({ ids: [one] }, ['media'])).toBe(0);
  expect(await count({ meta: { customer: '7' } })).toBe(3);
  expect(await count({ terms: [{ on: 'input', path: ['n'], values: [['1']] }], task: 'b.one' })).toBe(3);
  expect(await count({ task: 'b.one', from: NOON + 2 })).toBe(3);
  expect(await count({ task: 'b.one', to: NOON + 2 })).toBe(4);
  expect((await getJob(db, one))?.state).toBe('queued');
});

test('what is counted is told by state, queue and task, with the first ones, and of names those with the most jobs', async () => {
  const mail = await jobs(3, { task: 'p.mail', queue: 'mail' });
  await jobs(2, { task: '__proto__', queue: 'mail' });
  for (let n = 0; n < 21; n++) await jobs(1, { task: `p.some${n}`, queue: 'media' });
  const scope = { action: 'cancel', createdAt: LATER } as const;
  const told = (queues: string[], most = 10_000) =>
    describeBatch(
      db,
      {
        ...scope,
        queues,
        filter: { states: ['queued'], terms: [{ on: 'task', values: [['p.', ''], ['__proto__']] }] },
      },
      most,
    );
  const own = await told(['mail']);
  expect(own).toMatchObject({
    total: { value: 5, capped: false },
    of: 5,
    states: { queued: 5 },
    queues: { mail: 5 },
  });
  expect(Object.entries(own.tasks)).toEqual([
    ['p.mail', 3],
    ['__proto__', 2],
  ]);
  expect(own.first.map(({ id }) => id)).toEqual([...own.first.map(({ id }) => id)].sort());
  expect(own.first).toContainEqual({
    id: mail[0],
    task: 'p.mail',
    queue: 'mail',
    state: 'queued',
    createdAt: NOON,
  });
  const all = await told(['mail', 'media']);
  expect(all).toMatchObject({ total: { value: 26 }, queues: { media: 21, mail: 5 }, tasks: { 'p.mail': 3 } });
  expect([Object.keys(all.tasks).length, all.first.length]).toEqual([20, 5]);
  expect(await told(['mail', 'media'], 4)).toMatchObject({ total: { value: 4, capped: true }, of: 4 });
  expect(await told([])).toEqual({
    total: { value: 0, capped: false },
    of: 0,
    states: {},
    queues: {},
    tasks: {},
    first: [],
  });
});

test('those of one key are not told of by another, and one key has no more than twenty, all no more than a hundred', async () => {
  const own = await batch('c.one', { queues: ['mail'], now: LATER + 1 });
  const wide = await batch('c.one', { queues: ['mail', 'media'], now: LATER + 2 });
  const all = await batch('c.one', { now: LATER + 3 });
  const seen = async (queues?: string[]) =>
    (await listBatches(db, { queues, limit: 100 }))
      .map(({ id }) => id)
      .filter((id) => [own, wide, all].some((one) => one?.id === id));
  expect(await seen(['mail'])).toEqual([own?.id]);
  expect(await seen(['media', 'mail'])).toEqual([wide?.id, own?.id]);
  expect(await seen()).toEqual([all?.id, wide?.id, own?.id]);
  const [newest, next] = await listBatches(db, { limit: 2 });
  expect(newest && (await listBatches(db, { limit: 1, after: newest }))[0]?.id).toBe(next?.id);
  expect((await listBatches(db, { action: 'retry', limit: 5 })).length).toBe(0);
  expect((await listBatches(db, { state: 'aborted', limit: 5 })).length).toBe(1);
  const again = await createBatch(db, {
    id: own?.id ?? '',
    action: 'retry',
    rate: 1,
    most: null,
    queues: null,
    now: LATER,
    count: 1,
    asked: note,
    filter: { states: ['dead'] },
  });
  expect(again).toMatchObject({ action: 'cancel' });
  // Nobody takes all the places: not even by asking for many at the same time.
  const by = (key: string) => ({ ...note, actor: { ...note.actor, id: key } });
  const many = await Promise.all(Array.from({ length: 30 }, () => batch('c.two', { asked: by('greedy') })));
  expect(many.filter((one) => one !== undefined)).toHaveLength(20);
  expect(await batch('c.two', { asked: by('other') })).toBeDefined();
  for (let key = 0; (await openBatches(db)).length < 100; key++)
    await batch('c.two', { asked: by(`k${key}`) });
  expect(await batch('c.two', { asked: by('last') })).toBeUndefined();
});
