import { Worker } from 'node:worker_threads';
import { describeThrown } from '../describe-thrown.ts';
import type { FromBox, ToBox } from './messages.ts';
import { serveRuns } from './serve-runs.ts';

/**
 * A child process in which handlers run. It is the first of a process group of its own, so that whatever a handler starts ends
 * with it, and it never outlives its worker: the channel says when that is gone, and a thread sees it even while a
 * handler blocks this one.
 */
const [worker, watchesMemory] = process.argv.slice(2);
/** Longest that the last words of a child may take, milliseconds. */
const LAST_WORDS_MS = 1_000;

const memory = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
const deadline = new Float64Array(memory);
const watchdog = new Worker(new URL('./watchdog-thread.ts', import.meta.url), {
  workerData: { memory, worker: Number(worker) },
  name: 'watchdog',
  // It only looks at two numbers.
  resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 },
});
watchdog.unref();

const say = (message: FromBox) => {
  if (process.connected) process.send?.(message);
};
const end = () => process.kill(-process.pid, 'SIGKILL');

// A supervisor that signals every process of the service means the worker, which decides what becomes of its jobs.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', end);
process.on('uncaughtException', (error) => {
  setTimeout(end, LAST_WORDS_MS);
  const message: FromBox = { kind: 'fatal', error: describeThrown(error) };
  if (process.connected) process.send?.(message, () => end());
  else end();
});
process.on(
  'message',
  serveRuns({
    say,
    close: () => process.exit(0),
    deadline: (at) => {
      deadline[0] = at;
    },
    ...(watchesMemory === 'memory' ? { memory: () => process.memoryUsage.rss() } : {}),
  }) as (message: ToBox) => void,
);
say({ kind: 'ready' });
