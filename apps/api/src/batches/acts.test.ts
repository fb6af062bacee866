import { randomUUID } from 'node:crypto';
import { type JobEnvelope, NO_SETTINGS, project } from '@jetbeat/core';
import {
  type BatchRecord,
  beginCancel,
  createBatch,
  type Database,
  insertJobs,
  recordChanges,
} from '@jetbeat/postgres';
import { beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../../../test/support/database.ts';
import { newJob, settledEvent, startedEvent, traceparent } from '../../../../test/support/recorder.ts';
import type { DeadPorts } from '../dead-letters/dead-ports.ts';
import type { CancelPorts } from '../jobs/cancel-job.ts';
import type { MovePorts } from '../jobs/move-job.ts';
import { createBatchActs } from './acts.ts';

let db: Database;
beforeAll(async () => {
  const made = await openTestDatabase('batch-acts-test');
  db = made.db;
  return made.drop;
});

const tell = (...events: Parameters<typeof project>[0]) =>
  recordChanges(db, { changes: project(events), workers: [], now: Date.now() });

async function batchOf(
  action: BatchRecord['action'],
  states: BatchRecord['filter']['states'],
  jobs: readonly JobEnvelope[],
) {
  const asked = { actor: { kind: 'key', id: 'k1', name: 'ops', role: 'operator' } } as const;
  const batch = await createBatch(db, {
    id: randomUUID(),
    action,
    filter: { states },
    queues: null,
    rate: 1_000,
    most: null,
    asked,
    now: Date.now(),
    count: 10,
  });
  if (!batch) throw new Error('there is no batch');
  return { batch, ids: jobs.map(({ id }) => id), tries: 0, lease: randomUUID() };
}

const params = {
  cancel: {} as CancelPorts,
  move: {} as MovePorts,
  dead: {} as DeadPorts,
  fleet: async () => ({ tasks: new Map(), served: new Map() }),
  settings: NO_SETTINGS,
  refusal: () => undefined,
  queueRefusal: () => undefined,
  clock: Date.now,
};

test('a cancel of what waits leaves alone what has begun since it was found, and goes on with what it had begun itself', async () => {
  const jobs = [newJob(), newJob(), newJob()] as const;
  const [waits, runs, stopped] = jobs;
  await insertJobs(
    db,
    jobs.map((envelope) => ({
      envelope,
      traceparent: traceparent(),
      state: 'queued',
      totalLimitMs: 60_000,
      origin: 'api',
    })),
  );
  await beginCancel(db, { id: stopped.id, now: Date.now() });
  await tell(startedEvent(runs), startedEvent(stopped));
  const cancelled: string[] = [];
  const cancel = {
    async look(id: string) {
      cancelled.push(id);
      return { id, state: 'cancelled' };
    },
  } as unknown as CancelPorts;
  const act = createBatchActs({ ...params, db, cancel });
  const outcome = await act(await batchOf('cancel', ['queued'], jobs));
  expect(outcome).toMatchObject({ done: 2, skipped: 1, failures: [] });
  expect(cancelled.sort()).toEqual([waits.id, stopped.id].sort());
});

test('a retry takes the input that history was never told from the dead letter; where it is nowhere, it has failed', async () => {
  const jobs = [newJob({ input: { n: 7 } }), newJob()] as const;
  const [kept, lost] = jobs;
  const next = { state: 'dead', reason: { code: 'rejected', text: 'no' } } as const;
  await tell(...jobs.map((job) => settledEvent(job, { outcome: 'rejected', next })));
  const dead = {
    ofJob: async ({ id }: { id: string }) =>
      id === kept.id ? { envelope: kept, truncated: false } : undefined,
  } as unknown as DeadPorts;
  const act = createBatchActs({ ...params, db, dead });
  const { made: again = [], ...outcome } = await act(await batchOf('retry', ['dead'], jobs));
  expect(outcome).toMatchObject({
    done: 1,
    skipped: 0,
    failures: [{ jobId: lost.id, code: 'input_unknown' }],
  });
  expect(again).toMatchObject([{ envelope: { input: { n: 7 } }, retryOf: kept.id }]);
});
