import { type JobChange, type JobEvent, type Next, project } from '@jetbeat/core';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import type { Database } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import {
  accepted,
  NOON,
  newId,
  runIdOf,
  sampleEnvelope,
  sampleFacts,
  settled,
  started,
  TRACE,
} from '../database/sample.ts';
import type { JobWithAttempts } from '../jobs/job-record.ts';
import { getJob } from '../jobs/jobs.ts';
import { recordChanges } from './record.ts';

let made: TestDatabase;
let db: Database;
let other: Database;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'rule-test' });
  other = await openDatabase({ url: made.url, applicationName: 'rule-test-other' });
});
afterAll(async () => {
  await db?.close();
  await other?.close();
  await made?.drop();
});

const nexts: readonly Next[] = [
  { state: 'succeeded' },
  { state: 'cancelled' },
  { state: 'dead', reason: { code: 'rejected', text: 'no' } },
  { state: 'retrying', attempt: 2, runAt: NOON + 9_000 },
  { state: 'retrying', attempt: 2, runAt: NOON + 9_000 },
];

/**
 * Any event of one of three jobs, possible or not: the rule must hold for whatever is heard. Only the facts of a job that never
 * change, its trace among them, are the same in all.
 */
const heard = fc.record({
  job: fc.nat(2),
  kind: fc.constantFrom(
    'accepted',
    'started',
    'progress',
    'settled',
    'parked',
    'released',
    'returned',
    'ended',
  ),
  attempt: fc.integer({ min: 1, max: 3 }),
  run: fc.integer({ min: 1, max: 3 }),
  parks: fc.nat(2),
  next: fc.constantFrom(...nexts),
  delay: fc.nat(50),
  seq: fc.option(fc.nat(99), { nil: undefined }),
});
type Heard = typeof heard extends fc.Arbitrary<infer T> ? T : never;

function toEvent({ kind, attempt, run, parks, next, delay, seq }: Heard, job: string): JobEvent {
  const at = NOON + delay;
  const facts = { ...sampleFacts({ job, attempt, run, parks }), ...(seq === undefined ? {} : { seq }) };
  const ran = { runId: runIdOf(run, attempt), worker: `w${run}` };
  switch (kind) {
    case 'accepted':
      return accepted(sampleEnvelope({ id: job, meta: { a: 'b' } }), seq ?? 1);
    case 'started':
      return started({ ...facts, ...ran });
    case 'progress':
      return { ...facts, kind, ...ran, startedAt: NOON, value: delay, at };
    case 'settled':
      return settled({
        ...facts,
        ...ran,
        next,
        finishedAt: at + 100,
        ...(delay % 2 ? { result: { delay } } : {}),
      });
    case 'parked':
      return { ...facts, kind, what: delay % 2 ? 'task' : 'doubt', at };
    case 'released':
      return { ...facts, kind, at, traceId: TRACE };
    case 'returned':
      return { ...facts, kind, ...ran, startedAt: NOON, at };
    default:
      return { ...facts, kind: 'ended', state: 'expired', reason: { code: 'late', text: 'too late' }, at };
  }
}

/** What a row says, in the words of a change. */
function comparable(row: JobWithAttempts | undefined) {
  if (!row) return undefined;
  const { attempts: _, inputKnown, input, meta, losses, published, origin, totalLimitAt, ...rest } = row;
  return { ...rest, ...(inputKnown ? { envelope: { input, meta } } : {}) };
}

/** Its attempts without what nobody has told: that those are lost which were open when it ended. */
function asTold({ attempts, finishedAt }: JobWithAttempts) {
  return attempts.map((attempt) => {
    const { outcome, finishedAt: closedAt, ...begun } = attempt;
    if (outcome !== 'lost') return attempt;
    expect(closedAt).toBeGreaterThanOrEqual(attempt.startedAt);
    expect(finishedAt).toBeDefined();
    return begun;
  });
}

function ofChange({ envelope, ...rest }: JobChange) {
  return { ...rest, ...(envelope ? { envelope: { input: envelope.input, meta: envelope.meta } } : {}) };
}

test('SQL merges as core does, however the events are cut into batches', async () => {
  const runs = fc.array(fc.array(heard, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(runs, async (batches) => {
      const ids = [newId(), newId(), newId()];
      const events = batches.map((batch) => batch.map((one) => toEvent(one, ids[one.job] ?? '')));
      for (const batch of events)
        await recordChanges(db, { changes: project(batch), workers: [], now: NOON });
      const whole = project(events.flat());
      for (const change of whole.jobs) {
        const row = await getJob(db, change.id);
        expect(comparable(row)).toEqual(ofChange(change));
        const attempts = whole.attempts
          .filter(({ job }) => job === change.id)
          .map(({ job: _, ...rest }) => rest);
        expect(new Set(row && asTold(row))).toEqual(new Set(attempts));
      }
    }),
    { numRuns: 150 },
  );
});

test('two recorders at once end where one would', async () => {
  const ids = Array.from({ length: 200 }, () => newId());
  const next = { state: 'retrying', attempt: 2, runAt: NOON } as const;
  const steps: readonly ((job: string) => JobEvent)[] = [
    (job) => started({ job }),
    (job) => settled({ job, outcome: 'failed', next }),
    (job) => started({ job, attempt: 2, run: 2 }),
    (job) => settled({ job, attempt: 2, run: 2 }),
    (job) => accepted(sampleEnvelope({ id: job })),
  ];
  // Each gives the jobs in another order and the steps in another one.
  const give = (to: Database, order: readonly string[], mine: typeof steps) =>
    Promise.all(
      mine.map((step) => recordChanges(to, { changes: project(order.map(step)), workers: [], now: NOON })),
    );
  await Promise.all([give(db, ids, steps), give(other, ids.toReversed(), steps.toReversed())]);
  for (const id of ids) {
    const row = await getJob(db, id);
    expect(row).toMatchObject({ state: 'succeeded', attempt: 2, run: 2, inputKnown: true });
    expect(row?.attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'succeeded']);
  }
});
