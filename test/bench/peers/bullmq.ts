import { type Check, type Competitor, latencyPlan, type PeerRow, type Size } from './competitor.ts';
import { fsyncArgs, memoryArgs } from './start-redis.ts';

const preload = { batch: 1000, inFlight: 2 };

const words =
  'ioredis; addBulk in batches; one Worker with removeOnComplete (docs.bullmq.io/guide/queues/adding-bulks, ' +
  '/guide/parallelism-and-concurrency, /guide/going-to-production)';

function bullmq(variant: string, serverArgs: readonly string[], durability: string): Competitor {
  return {
    peer: 'BullMQ',
    variant,
    serverArgs,
    runtime: 'node',
    program: ['bullmq'],
    packages: ['bullmq', 'ioredis'],
    server: 'redis',
    rows: {
      bulk: {
        jobs: 150_000,
        candidates: [preload, { batch: 500, inFlight: 4 }, { batch: 1000, inFlight: 1 }],
      },
      // "Something between 100 and 300 is a quite standard setting", says its guide.
      drain: {
        jobs: 100_000,
        candidates: [
          { ...preload, concurrency: 100 },
          { ...preload, concurrency: 200 },
          { ...preload, concurrency: 300 },
        ],
      },
      latency: latencyPlan({ concurrency: 100 }),
    },
    settings: `${words}; Redis: ${durability}`,
    checks,
  };
}

/** A finished job is removed, so the counter of ids says how many there were. */
function checks(row: PeerRow, { warmup, jobs }: Size): Check[] {
  const here = row === 'latency' ? warmup + jobs : jobs;
  const left = row === 'bulk' ? jobs : 0;
  return [
    { ask: 'GET bull:bench:id', wanted: here },
    { ask: 'LLEN bull:bench:wait', wanted: left },
    { ask: 'LLEN bull:bench:active', wanted: 0 },
    { ask: 'ZCARD bull:bench:completed', wanted: 0 },
    { ask: 'ZCARD bull:bench:failed', wanted: 0 },
  ];
}

/** BullMQ on a Redis that keeps nothing, and on one that writes and syncs every command before it answers. */
export const bullmqs: readonly Competitor[] = [
  bullmq('no persistence', memoryArgs, 'no persistence (a crash of Redis loses every job)'),
  bullmq('appendfsync always', fsyncArgs, 'appendonly yes, appendfsync always'),
];
