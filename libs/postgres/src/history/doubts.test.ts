import { type DoubtAnswer, type DoubtQuestion, judge, project } from '@jetbeat/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import type { Database } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import {
  heartbeat,
  NOON,
  newId,
  parked,
  runIdOf,
  sampleFacts,
  sampleJob,
  settled,
  started,
} from '../database/sample.ts';
import { getJob, insertJobs } from '../jobs/jobs.ts';
import { withDoubts } from './doubts.ts';
import { recordChanges } from './record.ts';

let made: TestDatabase;
let db: Database;
let other: Database;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'doubts-test' });
  other = await openDatabase({ url: made.url, applicationName: 'doubts-test-other' });
  const workers = ['alive', 'asks-0', 'asks-1', 'asks-2', 'asks-3'].map((worker) => heartbeat({ worker }));
  const dead = [heartbeat({ worker: 'dead' })];
  await recordChanges(db, { changes: project([]), workers: dead, now: NOON - 60_000 });
  await recordChanges(db, { changes: project([]), workers, now: NOON });
});
afterAll(async () => {
  await db?.close();
  await other?.close();
  await made?.drop();
});

/** Asks as the recorder does when no live worker holds the job. */
function ask(to: Database, question: DoubtQuestion, now = NOON): Promise<DoubtAnswer> {
  return withDoubts(to, {
    ids: [question.job],
    now,
    within: 30_000,
    decide: (known, alive) => {
      const value = judge(question, known.get(question.job), {
        alive: (worker) => alive.has(worker),
        held: false,
      });
      const { job, worker, attempt, parks } = question;
      const grants =
        value.answer === 'free'
          ? [{ job, worker, attempt, parks, run: value.run, losses: value.losses }]
          : [];
      return { grants, value };
    },
  });
}

function record(...events: Parameters<typeof project>[0]) {
  return recordChanges(db, { changes: project(events), workers: [], now: NOON });
}

const retry = { state: 'retrying', attempt: 2, runAt: NOON } as const;
const first = { attempt: 1, run: 1, parks: 0 };

test.each(['known', 'unknown'])(
  'of four that ask at once about a job that is %s, one runs it',
  async (kind) => {
    const job = sampleJob();
    if (kind === 'known') await insertJobs(db, [job]);
    const { id } = job.envelope;
    const asked = [db, other, db, other].map((to, index) =>
      ask(to, { job: id, worker: `asks-${index}`, ...first }),
    );
    const answers = await Promise.all(asked);
    expect(answers.map(({ answer }) => answer).sort()).toEqual(['free', 'held', 'held', 'held']);
    // Its answer got lost: it asks again, and may go on.
    const winner = `asks-${answers.findIndex(({ answer }) => answer === 'free')}`;
    expect(await ask(db, { job: id, worker: winner, ...first })).toEqual({
      answer: 'free',
      run: 1,
      losses: 0,
    });
    const row = await getJob(db, id);
    if (kind === 'known') expect(row).toMatchObject({ state: 'running', worker: winner, run: 1 });
    else expect(row).toBeUndefined();
    // It may go on; whether and when it has begun tells the worker that has it.
    expect(row?.startedAt).toBeUndefined();
  },
);

test('a worker that vanished loses its attempt, and the job goes on as a new run', async () => {
  const job = newId();
  await record(started({ job, worker: 'dead', seq: 4 }));
  const question = { job, worker: 'asks-1', ...first };
  expect(await ask(db, question)).toEqual({ answer: 'free', run: 2, losses: 1 });
  const row = await getJob(db, job);
  expect(row).toMatchObject({ state: 'running', run: 2, losses: 1, worker: 'asks-1' });
  expect(row?.attempts).toMatchObject([{ runId: runIdOf(1), outcome: 'lost', finishedAt: NOON }]);
  expect(row && 'seq' in row).toBe(false);
  // The new run's own start and end come after the grant.
  expect(await record(started({ job, run: 2, worker: 'asks-1' }))).toMatchObject({ late: 0 });
  await record(settled({ job, run: 2, worker: 'asks-1' }));
  expect(await getJob(db, job)).toMatchObject({ state: 'succeeded', losses: 1, run: 2 });
  expect(await ask(db, question)).toEqual({ answer: 'settled', next: { state: 'succeeded' }, run: 2 });
});

test('what was parked since nobody answered doubts belongs to the worker that has begun it, or was lost with it', async () => {
  const [held, lost] = [newId(), newId()];
  await record(started({ job: held, worker: 'alive' }), started({ job: lost, worker: 'dead' }));
  await record(...[held, lost].map((job) => parked({ job, parks: 1 })));
  const question = { worker: 'asks-1', attempt: 1, run: 1, parks: 1 };
  expect(await ask(db, { ...question, job: held })).toEqual({ answer: 'held' });
  expect(await getJob(db, held)).toMatchObject({ state: 'parked', attempts: [{ worker: 'alive' }] });
  expect(await ask(db, { ...question, job: lost })).toEqual({ answer: 'free', run: 2, losses: 1 });
  expect(await getJob(db, lost)).toMatchObject({
    ...{ state: 'running', run: 2, losses: 1, worker: 'asks-1' },
    attempts: [{ worker: 'dead', outcome: 'lost', finishedAt: NOON }],
  });
  // What has told its end is in nobody's hands any more, and of an earlier attempt nothing follows.
  await record(settled({ job: held, worker: 'alive', outcome: 'failed', next: retry }));
  await record(parked({ job: held, attempt: 2, run: 2, parks: 2 }));
  const next = { ...question, attempt: 2, run: 2, parks: 2, job: held };
  expect(await ask(db, next)).toEqual({ answer: 'free', run: 2, losses: 0 });
});

test('who has begun a run and is granted it once more loses the attempt before, so that none stays open', async () => {
  const [job, other] = [newId(), newId()];
  const worker = 'asks-1';
  const [one, two, three] = [runIdOf(1), runIdOf(2), runIdOf(3)];
  // Its start was stored though it was told that it was not.
  await record(started({ job, worker, runId: one }), started({ job: other, worker: 'alive', runId: one }));
  expect(await ask(db, { job, worker, ...first })).toEqual({ answer: 'free', run: 1, losses: 0 });
  // Another one runs it: nothing is granted, and its attempt stays.
  expect(await ask(db, { job: other, worker, ...first })).toEqual({ answer: 'held' });
  expect((await getJob(db, other))?.attempts[0]?.outcome).toBeUndefined();
  const outcomes = async () =>
    (await getJob(db, job))?.attempts.map(({ runId, outcome }) => [runId, outcome]).sort();
  expect(await outcomes()).toEqual([[one, 'lost']]);
  // So nobody is waited for when the second one is given back.
  await record(started({ job, worker, runId: two }));
  const returned = { kind: 'returned', runId: two, worker, startedAt: NOON + 110, at: NOON + 120 } as const;
  await record({ ...sampleFacts({ job }), ...returned });
  expect(await ask(db, { job, worker: 'asks-2', ...first })).toEqual({ answer: 'free', run: 2, losses: 0 });
  await record(settled({ job, worker: 'asks-2', run: 2, runId: three }));
  expect(await outcomes()).toEqual([
    [one, 'lost'],
    [two, 'cancelled'],
    [three, 'succeeded'],
  ]);
});

test('a grant of which history knew nothing counts losses too, and gives way to history', async () => {
  const job = newId();
  expect(await ask(db, { job, worker: 'dead', ...first })).toMatchObject({ answer: 'free', run: 1 });
  expect(await ask(db, { job, worker: 'asks-1', ...first })).toEqual({ answer: 'free', run: 2, losses: 1 });
  await record(settled({ job, run: 2, worker: 'asks-1' }));
  expect(await ask(db, { job, worker: 'asks-2', ...first })).toMatchObject({ answer: 'settled' });
});

test('a job that took its workers down too often is exhausted', async () => {
  const job = sampleJob();
  await insertJobs(db, [job]);
  const question = { job: job.envelope.id, worker: 'dead', ...first };
  await ask(db, question);
  for (let losses = 1; losses <= 5; losses++) {
    const worker = `dead-${losses}`;
    expect(await ask(db, { ...question, worker, run: losses })).toEqual({
      answer: 'free',
      run: losses + 1,
      losses,
    });
  }
  expect(await ask(db, question)).toEqual({ answer: 'exhausted', losses: 6 });
});
