import { waitUntil } from '../../support/wait-until.ts';
import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { latencyFigures } from '../statistics.ts';

/** Jobs over HTTP: committed in PostgreSQL, then published. */
export const api: Row = {
  name: 'api',
  what: '`POST /jobs`, 64 at a time',
  measures: [
    { name: 'rate', unit: 'jobs/s', better: 'more' },
    { name: 'p50', unit: 'ms', better: 'less' },
    { name: 'p99', unit: 'ms', better: 'less' },
  ],
  run: (open) => open(posting),
};

const CONCURRENCY = 64;

async function posting(stage: Stage): Promise<Found> {
  const count = stage.quick ? 500 : 30_000;
  const warmUp = count / 5;
  const all = warmUp + count;
  await stage.start('api');
  const load = await stage.load();
  const post = (jobs: number) =>
    load.call({
      kind: 'post',
      url: stage.apiUrl,
      apiKey: stage.apiKey,
      count: jobs,
      concurrency: CONCURRENCY,
    });
  await post(warmUp);
  const clock = await stage.processes.startClock();
  const { seconds, calls = [] } = await post(count);
  const { processes } = await clock.stop();
  // A job is accepted when PostgreSQL has it; JetStream may have the last ones a moment later.
  await waitUntil('all are published', async () => (await stage.streams.stream('JOBS')).last >= all);
  const jobs = await stage.streams.stream('JOBS');
  const { p50, p99 } = latencyFigures(calls);
  return {
    seconds,
    figures: { rate: count / seconds, p50, p99 },
    counts: [
      { what: 'count(*) of job', wanted: all, found: await stage.history.jobs() },
      { what: 'JOBS last sequence', wanted: all, found: jobs.last },
    ],
    processes,
  };
}
