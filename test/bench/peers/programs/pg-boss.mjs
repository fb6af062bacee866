import { inBatches } from './in-batches.mjs';
import { load } from './load.mjs';
import { until } from './until.mjs';

const { PgBoss } = await load('pg-boss');
const { Pool } = (await load('pg')).default;

/** Queues and workers of pg-boss in the database at `url`. */
export async function connect({ url, settings, input }) {
  const pool = new Pool({ connectionString: url, max: 2 });
  pool.on('error', () => {});
  const boss = new PgBoss({
    connectionString: url,
    max: settings.maxPoolSize,
    useListenNotify: true,
    schedule: false,
  });
  let failed = () => {};
  boss.on('error', (error) => failed(error));
  await boss.start();
  for (const name of ['warm', 'bench']) {
    if ((await boss.getQueue(name)) === null) await boss.createQueue(name, { notify: true });
  }
  return {
    addMany: (name, count) =>
      inBatches({ count, size: settings.batch, inFlight: settings.inFlight }, (from, size) =>
        boss.insert(
          name,
          Array.from({ length: size }, (_, i) => ({ data: input(from + i) })),
        ),
      ),
    addOne: (name, data) => boss.send(name, data),
    async work({ name, concurrency, onStart, onError }) {
      failed = onError;
      await boss.work(
        name,
        {
          localConcurrency: concurrency,
          batchSize: settings.batchSize,
          burstWhenBatchFull: true,
          pollingIntervalSeconds: 0.5,
          notifyPollingIntervalSeconds: 0.5,
        },
        async (jobs) => {
          for (const job of jobs) onStart(job.data);
        },
      );
      return {
        recorded: () =>
          until(async () => {
            const { rows } = await pool.query(
              `select 1 from pgboss.job where name = $1 and state < 'completed' limit 1`,
              [name],
            );
            return rows.length === 0;
          }),
        stop: () => boss.offWork(name),
      };
    },
    /** What autovacuum does a minute later: the planner learns how many jobs there are. */
    settle: () => pool.query('vacuum analyze'),
    close: async () => {
      await boss.stop({ graceful: true, timeout: 5000 });
      await pool.end();
    },
  };
}
