import type { PolicyOverrides, WorkerEvent } from '@jetbeat/core';
import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { workerEvent } from '../../../../test/support/recorder.ts';
import { type Database, inside } from '../database/database.ts';
import { NOON } from '../database/sample.ts';
import { recordChanges } from '../history/record.ts';
import { splitLimits } from './split-limits.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('split-limits');
  db = made.db;
  return made.drop;
});

const worker = (name: string, policy: PolicyOverrides, task = 'mail.send'): WorkerEvent =>
  workerEvent(name, { tasks: [{ name: task, policy }, { name: 'other' }], at: NOON });
const record = (event: WorkerEvent) =>
  recordChanges(db, { changes: { jobs: [], attempts: [] }, workers: [event], now: NOON });
const asked = (event: WorkerEvent, heardSince = NOON - 1) =>
  splitLimits(db, { workers: [event], heardSince });

test('a worker whose tasks say other limits than those of workers that run is told of, and no other', async () => {
  const one = { concurrency: { key: 'host', limit: 1 } };
  const five = { concurrency: { key: 'host', limit: 5 }, retry: { attempts: 2 } };
  const old = worker('old', one);
  expect(await asked(old)).toEqual([]);
  await record(old);
  expect(await asked(worker('same', { ...one, retry: { attempts: 9 } }))).toEqual([]);
  const split = { task: 'mail.send', workers: 1 };
  const limits = (policy: PolicyOverrides) => ({
    concurrency: policy.concurrency ?? null,
    rate: policy.rate ?? null,
  });
  expect(await asked(worker('new', five))).toEqual([{ ...split, before: limits(one), now: limits(five) }]);
  expect(await asked(worker('new', {}))).toEqual([{ ...split, before: limits(one), now: limits({}) }]);
  // It has been started anew under its own name, the other is gone, or what was said at run time holds for all.
  expect(await asked(worker('old', five))).toEqual([]);
  expect(await asked(worker('new', five), NOON)).toEqual([]);
  await inside(db).run(
    `insert into task_limit (name, version, concurrency, updated_at) values ('mail.send', 1, '{"key":"x","limit":1}', now())`,
  );
  expect(await asked(worker('new', five))).toEqual([]);
});

test('a worker that runs has not come: it says its tasks anew whenever NATS was away', async () => {
  const [one, five] = [1, 5].map((limit) => ({ concurrency: { key: 'host', limit } }));
  const [old, now] = [worker('a1', one ?? {}, 'pdf.make'), worker('b1', five ?? {}, 'pdf.make')];
  const ask = (...workers: WorkerEvent[]) => splitLimits(db, { workers, heardSince: NOON - 1 });
  await record(old);
  const split = [
    { task: 'pdf.make', workers: 1, before: { ...one, rate: null }, now: { ...five, rate: null } },
  ];
  // Also where those that run say theirs beside it.
  for (const workers of [[now], [old, now], [now, old]]) expect(await ask(...workers)).toEqual(split);
  await record(now);
  expect([await ask(old), await ask(now), await ask(old, now)]).toEqual([[], [], []]);
});
