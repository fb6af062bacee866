import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import type { Database } from '../database/database.ts';
import { NOON } from '../database/sample.ts';
import {
  allTaskSettings,
  changeTaskLimits,
  getTaskLimits,
  listTaskLimits,
  type TaskLimitsChange,
} from './task-limits.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('task-limits-test');
  db = made.db;
  return made.drop;
});

const rate = { limit: 5, periodMs: 60_000, per: 'key', burst: 2 } as const;
const concurrency = { key: 'host-{input.host}', limit: 3 };
const change = (name: string, changes: TaskLimitsChange) =>
  changeTaskLimits(db, { name, now: NOON, change: () => changes });

test('what is said of a task holds until it is taken away, each by itself', async () => {
  expect(await getTaskLimits(db, 'mail.send')).toBeUndefined();
  expect(await change('mail.send', { rate })).toEqual({ name: 'mail.send', version: 1, own: { rate } });
  expect(await change('mail.send', { concurrency })).toMatchObject({
    version: 2,
    own: { rate, concurrency },
  });
  expect(await change('mail.send', {})).toMatchObject({ version: 2 });
  expect(await change('mail.send', { rate: null })).toMatchObject({ version: 3, own: { concurrency } });
  expect(await allTaskSettings(db)).toEqual(new Map([['mail.send', { version: 3, concurrency }]]));
});

test('a change that is refused changes nothing, and makes no task', async () => {
  const refused = changeTaskLimits(db, {
    name: 'other',
    now: NOON,
    change({ version }) {
      throw new Error(`it has version ${version}`);
    },
  });
  await expect(refused).rejects.toThrow('it has version 0');
  expect([...(await listTaskLimits(db)).keys()]).toEqual(['mail.send']);
});

test('of two who change a task at once one comes after the other', async () => {
  const both = await Promise.all([change('both', { rate }), change('both', { concurrency })]);
  expect(both.map(({ version }) => version).sort()).toEqual([1, 2]);
  expect(await getTaskLimits(db, 'both')).toEqual({ name: 'both', version: 2, own: { rate, concurrency } });
});
