import { callbackJobId, project } from '@jetbeat/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { calledBy } from './called.ts';
import type { Database } from './database.ts';
import { type Followed, followPass, type NoticeCount, succeededJobs } from './follow.ts';
import { openDatabase } from './open.ts';
import { recordChanges } from './record.ts';
import { accepted, NOON, newId, sampleEnvelope, sampleJob, settled } from './sample.ts';

let made: TestDatabase;
let db: Database;
let other: Database;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'follow-test' });
  other = await openDatabase({ url: made.url, applicationName: 'follow-test-other' });
});
afterAll(async () => {
  await db?.close();
  await other?.close();
  await made?.drop();
});

const LATER = NOON + 3_600_000;
const nothing: Followed = { jobs: [], counts: [] };
const pass = (to: Database, decide: Parameters<typeof followPass>[1]['decide'], before = LATER) =>
  followPass(to, { now: LATER, before, limit: 100, decide });

// What one test leaves is not of the next.
beforeEach(() => pass(db, async () => nothing));

async function ended(state: 'dead' | 'succeeded' | 'cancelled', policy?: object): Promise<string> {
  const job = newId();
  const reason = { code: 'rejected', text: 'no' };
  const next = state === 'dead' ? { state, reason } : { state };
  const envelope = sampleEnvelope({ id: job, ...(policy ? { policy } : {}) });
  const events = [accepted(envelope), settled({ job, next })];
  await recordChanges(db, { changes: project(events), workers: [], now: NOON });
  return job;
}
const childOf = (id: string) => sampleJob({ id: callbackJobId(id, 'onFailure', 0), parent: id });

test('each job that failed is looked after once, when its time has come; others are not', async () => {
  const [dead] = await Promise.all([ended('dead'), ended('succeeded'), ended('cancelled')]);
  expect(await pass(db, async () => nothing, NOON - 1)).toEqual({ looked: 0, made: [] });
  const seen: string[] = [];
  const decide = async (jobs: readonly { id: string }[]) => {
    seen.push(...jobs.map(({ id }) => id));
    return { jobs: jobs.map(({ id }) => childOf(id)), counts: [] };
  };
  const both = await Promise.all([pass(db, decide), pass(other, decide)]);
  expect(seen).toEqual([dead]);
  expect(both.map(({ looked, made: jobs }) => [looked, jobs.length]).toSorted()).toEqual([
    [0, 0],
    [1, 1],
  ]);
  expect(await calledBy(db, { id: dead, state: 'dead' })).toEqual([
    { id: childOf(dead).envelope.id, task: 'mail.send', state: 'queued' },
  ]);
  expect(await calledBy(db, { id: dead, state: 'succeeded' })).toEqual([]);
  expect(await calledBy(db, { id: dead, state: 'running' })).toEqual([]);
});

test('what is there already is not made again, and what fails is as if it had not begun', async () => {
  const dead = await ended('dead');
  const child = childOf(dead);
  const { envelope } = child;
  await recordChanges(db, { changes: project([accepted(envelope)]), workers: [], now: NOON });
  const broken = async () => {
    throw new Error('broken');
  };
  await expect(pass(db, broken)).rejects.toThrow('broken');
  expect(await pass(db, async () => ({ jobs: [child], counts: [] }))).toEqual({ looked: 1, made: [] });
});

test('counts of notices are kept until their time is over and nothing is left to be told', async () => {
  await ended('dead');
  const count: NoticeCount = { rule: 'a', since: NOON, until: LATER + 1_000, sent: 2, held: 1 };
  await pass(db, async () => ({ jobs: [], counts: [count] }));
  const known = async (now: number) => {
    let found: readonly NoticeCount[] = [];
    const decide = async (_: unknown, counts: readonly NoticeCount[]) => {
      found = counts;
      return nothing;
    };
    await followPass(db, { now, before: LATER, limit: 100, decide });
    return found;
  };
  expect(await known(LATER)).toEqual([count]);
  // It is over, and one has not been told of.
  expect(await known(LATER + 2_000)).toEqual([count]);
  const told = { ...count, held: 0 };
  await pass(db, async () => ({ jobs: [], counts: [told] }));
  await known(LATER + 2_000);
  expect(await known(LATER + 2_000)).toEqual([]);
});

test('of those that succeeded the ones that are asked for are there whole', async () => {
  const policy = { onSuccess: [{ task: 'a' }] };
  const [calls, quiet, dead] = await Promise.all([
    ended('succeeded', policy),
    ended('succeeded'),
    ended('dead', policy),
  ]);
  const found = await succeededJobs(db, {
    ids: [calls, quiet, dead, newId()],
    which: (job) => job.policy?.onSuccess !== undefined,
  });
  expect(found).toMatchObject([{ id: calls, state: 'succeeded', policy, input: { to: 'a@example.org' } }]);
  expect(await succeededJobs(db, { ids: [quiet], which: () => false })).toEqual([]);
});
