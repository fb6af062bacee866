import { callbackJobId, project } from '@jetbeat/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import { accepted, NOON, newId, sampleEnvelope, sampleJob, settled } from '../database/sample.ts';
import { calledBy } from '../jobs/called.ts';
import {
  type Followed,
  followPass,
  type NoticeCount,
  succeededJobs,
  type ToFollow,
  writeFollowed,
} from './follow.ts';
import { recordChanges } from './record.ts';
import { forgetGivenUp, unmadeOf } from './unmade.ts';

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
const nothing: Followed = { follows: [], unmade: [], counts: [] };
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
const follow = (of: string, job = childOf(of)) => ({ of, what: 'onFailure:0', job });

test('each job that failed is looked after once, when its time has come; others are not', async () => {
  const [dead] = await Promise.all([ended('dead'), ended('succeeded'), ended('cancelled')]);
  expect(await pass(db, async () => nothing, NOON - 1)).toEqual({ looked: 0, made: [], unmade: [] });
  const seen: string[] = [];
  const decide = async (ends: readonly ToFollow[]) => {
    seen.push(...ends.map(({ job }) => job.id));
    return { ...nothing, follows: ends.map(({ job }) => follow(job.id)) };
  };
  const both = await Promise.all([pass(db, decide), pass(other, decide)]);
  expect(seen).toEqual([dead]);
  expect(both.map(({ looked, made: jobs }) => [looked, jobs.length]).toSorted()).toEqual([
    [0, 0],
    [1, 1],
  ]);
  expect(await calledBy(db, { id: dead, state: 'dead' })).toEqual([
    { id: childOf(dead).envelope.id, task: 'mail.send', queue: 'default', state: 'queued' },
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
  const made = await pass(db, async () => ({ ...nothing, follows: [follow(dead, child)] }));
  expect(made).toEqual({ looked: 1, made: [], unmade: [] });
});

test('counts of notices are kept until their time is over and nothing is left to be told', async () => {
  await ended('dead');
  const count: NoticeCount = { rule: 'a', since: NOON, until: LATER + 1_000, sent: 2, held: 1 };
  await pass(db, async () => ({ ...nothing, counts: [count] }));
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
  await pass(db, async () => ({ ...nothing, counts: [told] }));
  await known(LATER + 2_000);
  expect(await known(LATER + 2_000)).toEqual([]);
});

/** PostgreSQL cannot take it: there is no such time. */
const refused = (of: string) => follow(of, { ...childOf(of), totalLimitMs: Number.NaN });
const passAt = (now: number, decide: Parameters<typeof followPass>[1]['decide']) =>
  followPass(db, { now, before: LATER, limit: 100, decide });

test('what cannot be made or written holds up nothing else, and is tried again ever more seldom', async () => {
  const [unmade, unwritten, good] = await Promise.all([ended('dead'), ended('dead'), ended('dead')]);
  const error = new Error('it is broken');
  const asked: string[][] = [];
  const bad = async (ends: readonly ToFollow[]): Promise<Followed> => {
    asked.push(ends.map(({ job, only }) => `${job.id} ${[...(only ?? ['all'])]}`).toSorted());
    const ids = new Set(ends.map(({ job }) => job.id));
    return {
      ...nothing,
      follows: [unwritten, good]
        .filter((id) => ids.has(id))
        .map((id) => (id === good ? follow(id) : refused(id))),
      unmade: ids.has(unmade) ? [{ job: unmade, what: 'notice:a', error }] : [],
    };
  };
  const first = await passAt(LATER, bad);
  expect(first.looked).toBe(3);
  expect(first.made.map(({ envelope }) => envelope.parent)).toEqual([good]);
  expect(first.unmade.map(({ job }) => job).toSorted()).toEqual([unmade, unwritten].toSorted());
  expect(await unmadeOf(db, unmade)).toEqual([
    { what: 'notice:a', tries: 1, since: LATER, nextAt: LATER + 5_000, error: 'Error: it is broken' },
  ]);
  expect(await unmadeOf(db, unwritten)).toMatchObject([{ what: 'onFailure:0', tries: 1 }]);
  expect(await unmadeOf(db, good)).toEqual([]);

  // Nothing is tried before its time.
  expect(await passAt(LATER + 4_999, bad)).toEqual({ looked: 0, made: [], unmade: [] });
  const again = [`${unmade} notice:a`, `${unwritten} onFailure:0`].toSorted();
  let now = LATER;
  for (const delay of [5_000, 10_000, 20_000]) {
    now += delay;
    expect(await passAt(now, bad)).toMatchObject({ looked: 0, made: [], unmade: [{}, {}] });
    expect(asked.at(-1)).toEqual(again);
  }
  for (let tries = 4; tries < 12; tries++) {
    const [next] = await unmadeOf(db, unmade);
    now = next?.nextAt ?? 0;
    await passAt(now, bad);
  }
  expect((await unmadeOf(db, unmade))[0]).toMatchObject({ tries: 12, nextAt: now + 3_600_000 });

  // When the cause is gone, it is made after all.
  const mended = await passAt(now + 3_600_000, async (ends) => ({
    ...nothing,
    follows: ends.map(({ job }) => follow(job.id)),
  }));
  expect(mended.made.map(({ envelope }) => envelope.parent).toSorted()).toEqual(
    [unmade, unwritten].toSorted(),
  );
  expect([...(await unmadeOf(db, unmade)), ...(await unmadeOf(db, unwritten))]).toEqual([]);
});

test('what cannot be made is given up in the end, and stays to be seen for a while, or as long as its job', async () => {
  const [dead, gone] = await Promise.all([ended('dead'), ended('dead')]);
  const bad = async (): Promise<Followed> => ({
    ...nothing,
    unmade: [dead, gone].map((job) => ({ job, what: 'notice:a', error: 'broken' })),
  });
  let next: number | undefined = LATER;
  for (let tries = 1; next !== undefined; tries++) {
    await passAt(next, bad);
    const [kept] = await unmadeOf(db, dead);
    expect(kept?.tries).toBe(tries);
    next = kept?.nextAt;
  }
  expect(await unmadeOf(db, dead)).toMatchObject([{ tries: 100, error: 'broken' }]);
  expect(await passAt(LATER + 1e9, async () => nothing)).toMatchObject({ unmade: [] });
  const tried = await ended('dead');
  const unmade = [{ job: tried, what: 'notice:a', error: 'broken' }];
  await writeFollowed(db, { now: LATER, follows: [], unmade });
  const left = async () =>
    (await Promise.all([dead, gone, tried].map((id) => unmadeOf(db, id)))).map(({ length }) => length);
  expect(await forgetGivenUp(db, { before: LATER, limit: 10 })).toBe(0);
  await inside(db).run('delete from job where id = any($1::uuid[])', [[gone, tried]]);
  expect(await forgetGivenUp(db, { before: LATER, limit: 10 })).toBe(1);
  expect(await left()).toEqual([1, 0, 1]);
  expect(await forgetGivenUp(db, { before: LATER + 1, limit: 0 })).toBe(0);
  expect(await forgetGivenUp(db, { before: LATER + 1, limit: 10 })).toBe(1);
  expect(await left()).toEqual([0, 0, 1]);
  // What is tried still is forgotten when it is due.
  await passAt(LATER + 1e9, async () => nothing);
  expect(await left()).toEqual([0, 0, 0]);
});

test('after a success too; who comes again before its time changes nothing', async () => {
  const [id, other] = await Promise.all([ended('succeeded'), ended('succeeded')]);
  const write = (now: number) =>
    writeFollowed(db, { now, unmade: [], follows: [refused(id), follow(other)] });
  expect((await write(NOON)).made.map(({ envelope }) => envelope.parent)).toEqual([other]);
  expect(await write(NOON + 1)).toMatchObject({ made: [], unmade: [{ job: id }] });
  expect(await unmadeOf(db, id)).toMatchObject([{ tries: 1, since: NOON, nextAt: NOON + 5_000 }]);
  expect(await writeFollowed(db, { now: NOON, unmade: [], follows: [] })).toEqual({ made: [], unmade: [] });
  // Of what is wanted no more nothing is left.
  await passAt(LATER, async () => nothing);
  expect(await unmadeOf(db, id)).toEqual([]);
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
