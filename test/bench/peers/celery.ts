import { join } from 'node:path';
import { type Check, type Competitor, latencyPlan, type PeerRow, type Size } from './competitor.ts';
import { memoryArgs } from './start-redis.ts';

const shared = { batch: 1000, grouped: true, processes: 2 };
// For many short tasks its guide to optimizing says "64, or 128"; 4 is the default.
const worker = { ...shared, prefetch: 128 };

function checks(row: PeerRow, { jobs }: Size): Check[] {
  return [
    { ask: 'LLEN bench', wanted: row === 'bulk' ? jobs : 0 },
    { ask: 'HLEN unacked', wanted: 0 },
  ];
}

/** Celery with Redis as its broker. */
export const celery: Competitor = {
  peer: 'Celery',
  variant: 'Redis, no persistence',
  runtime: 'python',
  program: [join(import.meta.dirname, 'programs/celery_rows.py')],
  packages: ['celery', 'kombu', 'redis', 'hiredis'],
  server: 'redis',
  serverArgs: memoryArgs,
  rows: {
    bulk: { jobs: 10_000, candidates: [shared, { ...shared, grouped: false }] },
    drain: { jobs: 6000, candidates: [worker, { ...worker, prefetch: 64 }] },
    latency: latencyPlan(worker, { ...worker, prefetch: 4 }),
  },
  settings:
    'one worker, prefork, worker_prefetch_multiplier, -O fair, task_ignore_result, no rate limits, gossip, mingle or ' +
    'heartbeat, hiredis (docs.celeryq.dev userguide/optimizing, userguide/tasks); Redis without persistence',
  checks,
};
