import { randomBytes, randomUUID } from 'node:crypto';
import { FIRST_POSITION, type JobEnvelope, uuidV7 } from '@jetbeat/core';
import { createBatch, type Database, getBatch, insertJobs } from '@jetbeat/postgres';
import { beforeAll, expect, test, vi } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { createBatchLoop } from './loop.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('batch-loop-test');
  db = made.db;
  return made.drop;
});

/** A batch for one job of its own; it was asked for a second ago. */
async function batchOf(task: string): Promise<string> {
  const at = Date.now() - 1_500;
  const envelope: JobEnvelope = {
    v: 1,
    id: uuidV7(at, randomBytes(10)),
    task,
    queue: 'default',
    priority: 'normal',
    input: {},
    createdAt: at,
    runAt: at,
    ...FIRST_POSITION,
  };
  await insertJobs(db, [{ envelope, state: 'queued', totalLimitMs: 60_000, origin: 'api' }]);
  const asked = { actor: { kind: 'key', id: 'k1', name: 'ops', role: 'operator' } } as const;
  const batch = await createBatch(db, {
    id: randomUUID(),
    action: 'cancel',
    filter: { states: ['queued'], task },
    queues: null,
    rate: 1_000,
    most: null,
    asked,
    now: at + 500,
    count: 10,
  });
  return batch?.id ?? '';
}

test('a batch that fails holds up no other, and whoever stops waits for what is under way', async () => {
  const bad = await batchOf('loop.bad');
  const good = await batchOf('loop.good');
  const tried: string[] = [];
  const gate = Promise.withResolvers<void>();
  const loop = createBatchLoop({
    db,
    async act({ batch, ids }) {
      tried.push(batch.id);
      if (batch.id === bad) throw new Error('it cannot be done');
      await gate.promise;
      return { done: ids.length, skipped: 0, failures: [], left: [] };
    },
    publish: () => {},
    behind: async () => undefined,
    log: { info: vi.fn(), warn: vi.fn() } as never,
  });
  loop.start();
  await expect.poll(() => [...new Set(tried)].sort()).toEqual([bad, good].sort());
  let isStopped = false;
  const stopped = loop.stop().then(() => {
    isStopped = true;
  });
  await db.ping();
  expect(isStopped).toBe(false);
  gate.resolve();
  await stopped;
  expect(await getBatch(db, good)).toMatchObject({ done: 1 });
  expect(loop.lastError).toBeUndefined();
  expect(await getBatch(db, bad)).toMatchObject({ done: 0, finishedAt: null });
});
