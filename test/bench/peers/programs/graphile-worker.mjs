import { inBatches } from './in-batches.mjs';
import { load } from './load.mjs';
import { until } from './until.mjs';

const { Logger, makeWorkerUtils, run } = await load('graphile-worker');
const { Pool } = (await load('pg')).default;

/** Jobs and workers of graphile-worker in the database at `url`. */
export async function connect({ url, settings, input }) {
  const pool = new Pool({ connectionString: url, max: 2 });
  pool.on('error', () => {});
  const shared = {
    connectionString: url,
    maxPoolSize: settings.maxPoolSize,
    logger: new Logger(() => () => {}),
  };
  const utils = await makeWorkerUtils(shared);
  await utils.migrate();
  return {
    addMany: (name, count) =>
      inBatches({ count, size: settings.batch, inFlight: settings.inFlight }, (from, size) =>
        utils.addJobs(
          Array.from({ length: size }, (_, i) => ({ identifier: name, payload: input(from + i) })),
        ),
      ),
    addOne: (name, data) => utils.addJob(name, data),
    async work({ name, concurrency, onStart, onError }) {
      const runner = await run({
        ...shared,
        noHandleSignals: true,
        crontab: '',
        taskList: { [name]: async (payload) => onStart(payload) },
        preset: {
          worker: {
            concurrentJobs: concurrency,
            localQueue: { size: settings.localQueue },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
          },
        },
      });
      runner.events.on('job:error', ({ error }) => onError(error));
      runner.promise.catch(onError);
      return {
        recorded: () =>
          until(async () => {
            const { rows } = await pool.query('select 1 from graphile_worker._private_jobs limit 1');
            return rows.length === 0;
          }),
        stop: () => runner.stop(),
      };
    },
    /** What autovacuum does a minute later: the planner learns how many jobs there are. */
    settle: () => pool.query('vacuum analyze graphile_worker._private_jobs'),
    close: async () => {
      await utils.release();
      await pool.end();
    },
  };
}
