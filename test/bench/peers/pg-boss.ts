import { type Check, type Competitor, latencyPlan, type PeerRow, type Size } from './competitor.ts';

const preload = { batch: 1000, inFlight: 4, maxPoolSize: 20 };

function checks(row: PeerRow, { warmup, jobs }: Size): Check[] {
  const all = row === 'latency' ? warmup + jobs : jobs;
  const ofBench = `select count(*) from pgboss.job where name = 'bench'`;
  return [
    { ask: ofBench, wanted: all },
    { ask: `${ofBench} and state = '${row === 'bulk' ? 'created' : 'completed'}'`, wanted: all },
  ];
}

/** pg-boss with batches and LISTEN/NOTIFY. Its package of recurrence rules, pinned by an override, has no part in this. */
export const pgBoss: Competitor = {
  peer: 'pg-boss',
  variant: 'batched',
  runtime: 'node',
  program: ['pg-boss'],
  packages: ['pg-boss', 'pg'],
  server: 'postgres',
  serverArgs: [],
  rows: {
    bulk: {
      jobs: 200_000,
      candidates: [preload, { ...preload, inFlight: 2 }, { ...preload, batch: 5000, inFlight: 2 }],
    },
    drain: {
      jobs: 80_000,
      candidates: [
        { ...preload, concurrency: 2, batchSize: 2000 },
        { ...preload, concurrency: 4, batchSize: 200 },
        { ...preload, concurrency: 10, batchSize: 50 },
      ],
    },
    latency: latencyPlan(
      { ...preload, concurrency: 1, batchSize: 50 },
      { ...preload, concurrency: 2, batchSize: 50 },
      { ...preload, concurrency: 10, batchSize: 50 },
    ),
  },
  settings:
    'insert in batches; one work() with batchSize, localConcurrency, burstWhenBatchFull and useListenNotify ' +
    '(pgboss.io/api/workers, /api/constructor); fresh tables, VACUUM ANALYZE before the drain; PostgreSQL with fsync',
  checks,
};
