import type { QueueLimits, QueuePause, QueueSettings, RateLimit } from '@jetbeat/core';
import type { InferEntity } from '@mikro-orm/core';
import type { QueueEntity } from '../database/entities.ts';
import { known } from '../database/json.ts';
import type { QueuePurge } from './queue-purge.ts';

/** A queue. Times in Unix milliseconds. */
export interface QueueRecord {
  readonly name: string;
  readonly version: number;
  /** What was said at run time; what is absent holds as in `initial`. */
  readonly own: QueueLimits;
  /** What the configuration says. */
  readonly initial: QueueLimits;
  readonly paused?: QueuePause;
  readonly purge?: QueuePurge;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The limits that hold. */
export function limitsOf({ own, initial }: Pick<QueueRecord, 'own' | 'initial'>): QueueLimits {
  return { ...initial, ...own };
}

/** What every process is told of the queue; undefined where nothing is to be told. */
export function settingsOf(queue: QueueRecord): QueueSettings {
  const { version, paused, purge } = queue;
  const mark = purge && purge.doneAt === undefined ? { upTo: purge.upTo, before: purge.before } : undefined;
  return { version, ...limitsOf(queue), ...(paused ? { paused } : {}), ...(mark ? { purge: mark } : {}) };
}

/** Reads a row. */
export function queueRecord(row: InferEntity<typeof QueueEntity>): QueueRecord {
  const { name, version, concurrency, rateLimit, maxDepth, initial, paused, purge } = row;
  return {
    name,
    version: Number(version),
    own: known({ concurrency, rateLimit: rateLimit as RateLimit | null, maxDepth }),
    initial,
    ...(paused ? { paused } : {}),
    ...(purge ? { purge } : {}),
    createdAt: row.createdAt.getTime(),
    updatedAt: row.updatedAt.getTime(),
  };
}
