import { randomUUID } from 'node:crypto';
import type { BatchAction } from '@jetbeat/core';
import { createTestDatabase } from '../../../../test/support/database.ts';
import type { AuditNote } from '../access/audit.ts';
import type { Database } from '../database/database.ts';
import { openDatabase } from '../database/open.ts';
import { NOON, newId, sampleJob } from '../database/sample.ts';
import { insertJobs } from '../jobs/jobs.ts';
import type { BatchFilter } from './batch-filter.ts';
import { takeBatchStep } from './batch-step.ts';
import { createBatch } from './batches.ts';

/** Who asks for the batches of tests, and why. */
export const BATCH_NOTE = {
  actor: { kind: 'key', id: 'k1', name: 'ops', role: 'operator' },
  reason: 'too many',
} as const;
/** When they are asked for, Unix milliseconds: after all jobs. */
export const LATER = NOON + 60_000;
/** What a step has come to that did nothing. */
export const NOTHING = { done: 0, skipped: 0, failures: [], left: [] };

/** How a batch differs from one that cancels what is queued of a task. */
interface Asked {
  readonly action?: BatchAction;
  readonly filter?: Partial<BatchFilter>;
  readonly rate?: number;
  readonly most?: number;
  readonly now?: number;
  readonly queues?: string[];
  readonly asked?: AuditNote;
}

/** A database of one's own for tests of batches. */
export interface BatchSamples {
  readonly db: Database;
  /** Inserts so many jobs; their ids, in order. */
  jobs(count: number, fields?: Parameters<typeof sampleJob>[0]): Promise<string[]>;
  /** Asks for a batch of the jobs of this task. */
  batch(task: string, more?: Asked): ReturnType<typeof createBatch>;
  /** Takes its next step at this time. */
  take(id: string, now: number, behind?: () => Promise<string | undefined>): ReturnType<typeof takeBatchStep>;
  stop(): Promise<void>;
}

/** Makes the database. */
export async function sampleBatches(applicationName: string): Promise<BatchSamples> {
  const made = await createTestDatabase();
  const db = await openDatabase({ url: made.url, applicationName });
  return {
    db,
    async jobs(count, fields = {}) {
      const list = Array.from({ length: count }, (_, n) =>
        sampleJob({ id: newId(NOON + n), createdAt: NOON + n, runAt: NOON + n, ...fields }),
      );
      await insertJobs(db, list);
      return list.map(({ envelope }) => envelope.id).sort();
    },
    batch(task, more = {}) {
      const { action = 'cancel', filter, rate = 1_000, most = null, now = LATER, queues = null } = more;
      return createBatch(db, {
        id: randomUUID(),
        action,
        rate,
        most,
        queues,
        now,
        count: 10_000,
        asked: more.asked ?? BATCH_NOTE,
        filter: { states: ['queued'], task, ...filter },
      });
    },
    take: (id, now, behind) =>
      takeBatchStep(db, { id, now, lease: randomUUID(), leaseMs: 10_000, ...(behind ? { behind } : {}) }),
    async stop() {
      await db.close();
      await made.drop();
    },
  };
}
