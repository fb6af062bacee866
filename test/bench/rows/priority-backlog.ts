import { waitUntil } from '../../support/wait-until.ts';
import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { latencyFigures } from '../statistics.ts';
import { untilRecorded } from '../steps.ts';
import { resultsOf } from './latency.ts';

const CONCURRENCY = 50;
/** How long a job of the backlog takes, milliseconds; so many of them are worked off in a second. */
const JOB_MS = 10;
const BACKLOG_RATE = (CONCURRENCY * 1_000) / JOB_MS;
const RATE = 100;

/** A high job among many normal ones: it begins when the first of those that run now has ended. */
export const priorityBacklog: Row = {
  name: 'priority-backlog',
  what: `enqueue to start of high jobs, ${RATE} of them a second, under a standing backlog of normal jobs that take ${JOB_MS} ms each and fill all ${CONCURRENCY} slots`,
  measures: [
    { name: 'p50', unit: 'ms', better: 'less' },
    { name: 'p99', unit: 'ms', better: 'less', goal: JOB_MS },
    { name: 'max', unit: 'ms', better: 'less' },
  ],
  run: (open) => open(underBacklog),
};

async function underBacklog(stage: Stage): Promise<Found> {
  const seconds = stage.quick ? 1 : 15;
  await stage.start('recorder');
  await stage.start('worker', { env: { JETBEAT_CONCURRENCY: String(CONCURRENCY) } });
  const load = await stage.load();
  await load.call({ kind: 'many', count: BACKLOG_RATE * (seconds + 5), of: 'wait' });
  const rounds = { warmUp: 1, measured: 2 };
  await load.call({ kind: 'open-loop', rate: RATE, count: RATE, round: rounds.warmUp, priority: 'high' });
  const count = RATE * seconds;
  const clock = await stage.processes.startClock();
  await load.call({ kind: 'open-loop', rate: RATE, count, round: rounds.measured, priority: 'high' });
  const found = await clock.stop();
  const { pending } = await stage.streams.lane();
  await untilRecorded(stage);
  const values = await waitUntil('all of them have begun', async () => {
    const results = await resultsOf(stage, rounds.measured);
    return results.length >= count && results;
  });
  return {
    ...found,
    figures: latencyFigures(values),
    counts: [
      { what: 'count(*) of high jobs succeeded', wanted: count, found: values.length },
      { what: 'normal jobs wait still', wanted: 1, found: pending > 0 ? 1 : 0 },
    ],
  };
}
