import { inBatches } from './in-batches.mjs';
import { load } from './load.mjs';
import { until } from './until.mjs';

const { Queue, Worker } = await load('bullmq');

/** BullMQ keeps every finished job unless it is told otherwise; its guide to production says to remove them. */
const removal = { removeOnComplete: true, removeOnFail: 1000 };

/** Queues and workers of BullMQ on the Redis at `url`. */
export function connect({ url, settings, input }) {
  const { hostname: host, port } = new URL(url);
  const connection = { host, port: Number(port) };
  const queues = new Map();
  const queueOf = (name) => {
    if (!queues.has(name)) {
      queues.set(name, new Queue(name, { connection, defaultJobOptions: removal }));
    }
    return queues.get(name);
  };
  return {
    addMany: (name, count) =>
      inBatches({ count, size: settings.batch, inFlight: settings.inFlight }, (from, size) =>
        queueOf(name).addBulk(
          Array.from({ length: size }, (_, i) => ({ name: 'job', data: input(from + i) })),
        ),
      ),
    addOne: (name, data) => queueOf(name).add('job', data),
    async work({ name, concurrency, onStart, onError }) {
      const worker = new Worker(name, async (job) => onStart(job.data), {
        connection,
        concurrency,
        autorun: false,
        ...removal,
      });
      worker.on('error', onError);
      worker.on('failed', (_job, error) => onError(error));
      await worker.waitUntilReady();
      void worker.run().catch(onError);
      return {
        recorded: () =>
          until(async () => {
            const counts = await queueOf(name).getJobCounts('wait', 'active', 'paused', 'delayed');
            return Object.values(counts).every((count) => count === 0);
          }),
        stop: () => worker.close(),
      };
    },
    settle: async () => {},
    close: async () => {
      for (const queue of queues.values()) await queue.close();
    },
  };
}
