import type { JobEnvelope } from '@jetbeat/core';
import { type Bus, publishJobs } from '@jetbeat/jetstream';
import { createLog, loadConfig, type Running } from '@jetbeat/runtime';
import { defineTask } from '@jetbeat/task';
import { start } from '@jetbeat/worker';
import { onTestFinished } from 'vitest';
import { natsUrl } from './nats.ts';
import { newJob } from './recorder.ts';

/** A handler that has begun, and ends when the test says so. */
interface Begun {
  readonly job: Pick<JobEnvelope, 'id' | 'queue' | 'priority'>;
  readonly attempt: number;
  /** The worker's name in the test. */
  readonly worker: string;
  /** Milliseconds since the process began. */
  readonly at: number;
  end(): void;
}

/** Workers inside of the test's process, whose handlers the test ends one by one. */
export interface WorkerBench {
  /** All that has begun, in this order. */
  readonly begun: readonly Begun[];
  /** Waits until so many have begun. Rejects after 20 s. */
  until(count: number): Promise<void>;
  /** Starts a worker; it is stopped when the test has finished. */
  start(name: string, options: WorkerOptions): Promise<Pick<Running, 'stop' | 'stopAsked'>>;
  /** Publishes jobs for `test.held`, unless `task` says otherwise; resolves when they are stored. */
  publish(count: number, change?: Partial<JobEnvelope>): Promise<void>;
}

/** How one worker differs from the others. */
interface WorkerOptions {
  readonly concurrency: number;
  readonly queues?: readonly string[];
  /** How long each handler takes, milliseconds; otherwise until the test ends it. */
  readonly takesMs?: number;
  /** How long a handler may keep a slot of a limit past its hard limit, milliseconds. */
  readonly lingerMs?: number;
}

const UNTIL_MS = 20_000;

/**
 * Makes it, in the namespace of a bus.
 * @param params.ackWait as in `JETBEAT_ACK_WAIT`
 */
export function createWorkerBench(params: {
  bus: Bus;
  namespace: string;
  ackWait?: string;
  servers?: string;
}): WorkerBench {
  const { bus, namespace, ackWait = '30s', servers = natsUrl() } = params;
  const begun: Begun[] = [];
  const waiting = new Set<() => void>();
  const note = (one: Begun) => {
    begun.push(one);
    for (const look of waiting) look();
  };
  const stops: (() => Promise<void>)[] = [];
  onTestFinished(async () => {
    for (const { end } of begun) end();
    await Promise.all(stops.map((stop) => stop()));
  });
  return {
    begun,
    until(count) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = () => begun.length >= count && resolve();
      const timer = setTimeout(
        () => reject(new Error(`${begun.length} of ${count} have begun within 20 s`)),
        UNTIL_MS,
      );
      waiting.add(look);
      look();
      return promise.finally(() => {
        clearTimeout(timer);
        waiting.delete(look);
      });
    },
    async start(name, { concurrency, queues = ['default'], takesMs, lingerMs }) {
      const env = {
        JETBEAT_NATS_URL: servers,
        JETBEAT_NAMESPACE: namespace,
        JETBEAT_ACK_WAIT: ackWait,
        JETBEAT_CONCURRENCY: String(concurrency),
        JETBEAT_QUEUES: queues.join(','),
        JETBEAT_STORAGE_EVENTS: '32MiB',
      };
      const level = process.env['JETBEAT_TEST_LOG'] === '1' ? 'debug' : 'fatal';
      const held = defineTask({
        name: 'test.held',
        run: (_, { job, attempt }) =>
          new Promise<void>((resolve) => {
            note({ job, attempt, worker: name, at: performance.now(), end: resolve });
            if (takesMs !== undefined) setTimeout(resolve, takesMs);
          }),
      });
      const short = defineTask({ name: 'test.short', run: () => null });
      const worker = await start({
        config: { ...loadConfig({ env, app: 'worker' }), healthPort: 0 },
        log: createLog({ app: 'worker', level }),
        tasks: [held, short],
        ...(lingerMs === undefined ? {} : { times: { lingerMs } }),
      });
      stops.push(worker.stop);
      return worker;
    },
    async publish(count, change = {}) {
      const jobs = Array.from({ length: count }, () => ({
        envelope: newJob({ task: 'test.held', input: null, ...change }),
      }));
      const results = await publishJobs(bus, jobs);
      const refused = results.find((result) => !result.ok);
      if (refused) throw new Error('a job was not stored', { cause: refused });
    },
  };
}
