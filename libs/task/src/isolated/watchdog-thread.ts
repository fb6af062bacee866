import { workerData } from 'node:worker_threads';

/**
 * Ends its process, and all that was started by it, when the worker is gone, or when a handler is past its hard limit and
 * the worker has not ended it. It needs nothing of the main thread, which a handler may block.
 */
const { memory, worker } = workerData as { memory: SharedArrayBuffer; worker: number };
const deadline = new Float64Array(memory);
/** The worker ends a child at the hard limit; this is for a worker that cannot, milliseconds. */
const GRACE_MS = 1_000;
const LOOK_EVERY_MS = 100;

setInterval(() => {
  const at = deadline[0] ?? 0;
  if (process.ppid !== worker || (at !== 0 && Date.now() > at + GRACE_MS))
    process.kill(-process.pid, 'SIGKILL');
}, LOOK_EVERY_MS);
