import { type Check, type Competitor, latencyPlan, type PeerRow, type Size } from './competitor.ts';

const preload = { batch: 1000, inFlight: 4, maxPoolSize: 26 };
// The numbers under which its page on performance publishes its own figures; the pool as its types advise.
const worker = { ...preload, concurrency: 24, localQueue: 500 };

const ofBench =
  'from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id ' +
  `where t.identifier = 'bench'`;

/** A finished job is deleted, so the sequence of ids says how many there were. */
function checks(row: PeerRow, { warmup, jobs }: Size): Check[] {
  return [
    { ask: `select count(*) ${ofBench}`, wanted: row === 'bulk' ? jobs : 0 },
    {
      ask: `select pg_sequence_last_value(pg_get_serial_sequence('graphile_worker._private_jobs', 'id'))`,
      wanted: warmup + jobs,
    },
  ];
}

/** graphile-worker with its batching on. */
export const graphileWorker: Competitor = {
  peer: 'graphile-worker',
  variant: 'batched',
  runtime: 'node',
  program: ['graphile-worker'],
  packages: ['graphile-worker', 'pg'],
  server: 'postgres',
  serverArgs: [],
  rows: {
    bulk: {
      jobs: 250_000,
      candidates: [preload, { ...preload, inFlight: 1 }, { ...preload, batch: 5000, inFlight: 2 }],
    },
    drain: {
      jobs: 150_000,
      candidates: [worker, { ...worker, localQueue: 2000 }, { ...worker, localQueue: 5000 }],
    },
    latency: latencyPlan(worker),
  },
  settings:
    'addJobs in batches; one runner with localQueue, completeJobBatchDelay 0, failJobBatchDelay 0 ' +
    '(worker.graphile.org/docs/performance); VACUUM ANALYZE before the drain; PostgreSQL with fsync',
  checks,
};
