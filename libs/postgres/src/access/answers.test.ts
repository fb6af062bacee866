import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.ts';
import { type Database, inside } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import { databaseTime } from '../migrating/migrate.ts';
import { claimAnswer, dropAnswer, forgetAnswers, keepAnswer } from './answers.ts';

let made: TestDatabase;
let db: Database;
beforeAll(async () => {
  made = await createTestDatabase();
  db = await openDatabase({ url: made.url, applicationName: 'answers-test', poolSize: 10 });
});
afterAll(async () => {
  await db?.close();
  await made?.drop();
});
beforeEach(async () => {
  await inside(db).run('truncate answer');
});

const ONE = { caller: 'a', key: 'k', asked: 'x' };
const ANSWER = { status: 202, headers: { location: '/jobs/1' }, body: '{"id":1}' };
const claim = (fields: object = {}) =>
  claimAnswer(db, { ...ONE, claim: randomUUID(), leaseMs: 60_000, ...fields });
const age = (by: string) =>
  inside(db).run(
    `update answer set at = at - interval '${by}', lease_until = lease_until - interval '${by}'`,
  );

test('of 50 at once one gets it, and the others hear that it is busy, until there is an answer', async () => {
  const all = await Promise.all(Array.from({ length: 50 }, () => claim()));
  expect(all.filter(({ is }) => is === 'mine')).toEqual([
    { is: 'mine', at: expect.any(Number), again: false },
  ]);
  expect(all.filter(({ is }) => is === 'busy')).toHaveLength(49);
  const [busy] = all.filter(({ is }) => is === 'busy');
  expect(busy).toMatchObject({ claim: expect.any(String) });
  const { claim: id = '' } = busy as { claim?: string };
  await keepAnswer(db, { ...ONE, claim: id, answer: ANSWER });
  expect(await claim()).toEqual({ is: 'answered', answer: ANSWER });
  expect(await claim({ asked: 'y' })).toEqual({ is: 'other' });
  expect((await claim({ caller: 'b', asked: 'y' })).is).toBe('mine');
});

test('what was given up is taken over, with the time when it came first, and the late answer is not kept', async () => {
  const id = randomUUID();
  const first = await claim({ claim: id });
  expect((await claim()).is).toBe('busy');
  await age('61 seconds');
  const then = await claim();
  expect(then).toMatchObject({ is: 'mine', again: true });
  expect(first).toMatchObject({ at: (then as { at: number }).at + 61_000 });
  await keepAnswer(db, { ...ONE, claim: id, answer: ANSWER });
  expect((await claim()).is).toBe('busy');
});

test('what has no answer to be kept may be asked again at once, and so may what a dead try has left', async () => {
  const [one, two] = [randomUUID(), randomUUID()];
  const { at } = (await claim({ claim: one })) as { at: number };
  await dropAnswer(db, { ...ONE, claim: one });
  expect(await claim({ asked: 'y' })).toEqual({ is: 'other' });
  expect(await claim({ claim: two })).toEqual({ is: 'mine', at, again: true });
  expect((await claim({ over: one })).is).toBe('busy');
  expect(await claim({ over: two })).toMatchObject({ is: 'mine', at, again: true });
});

test('after a day a key is a new one, for another request too, and retention takes it', async () => {
  const id = randomUUID();
  const { at } = (await claim({ claim: id })) as { at: number };
  await keepAnswer(db, { ...ONE, claim: id, answer: ANSWER });
  await age('86401 seconds');
  const again = await claim({ asked: 'y' });
  expect(again).toMatchObject({ is: 'mine', again: false });
  expect((again as { at: number }).at).toBeGreaterThanOrEqual(at);
  await claim({ key: 'old' });
  await inside(db).run(`update answer set at = at - interval '2 days' where key = 'old'`);
  const before = (await databaseTime(db)) - 86_400_000;
  expect(await forgetAnswers(db, { before, limit: 10 })).toBe(1);
  expect(await inside(db).rows('select key from answer')).toEqual([{ key: 'k' }]);
});
