import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { latencyFigures } from '../statistics.ts';
import { historyCounts, untilRecorded } from '../steps.ts';
import { wholeWayApps } from './whole-way.ts';

/** A program that waits for each of its jobs before it enqueues the next one. */
export const results: Row = {
  name: 'results',
  what: '`enqueue` and `job.result()`, one job after the other',
  measures: [
    { name: 'p50', unit: 'ms', better: 'less' },
    { name: 'p90', unit: 'ms', better: 'less' },
    { name: 'p99', unit: 'ms', better: 'less' },
    { name: 'max', unit: 'ms', better: 'less' },
  ],
  run: (open) => open(oneByOne),
};

async function oneByOne(stage: Stage): Promise<Found> {
  const count = stage.quick ? 20 : 200;
  const load = await wholeWayApps(stage);
  await load.call({ kind: 'results', count });
  const clock = await stage.processes.startClock();
  const { calls = [] } = await load.call({ kind: 'results', count });
  const { seconds, processes } = await clock.stop();
  await untilRecorded(stage);
  const counts = await historyCounts(stage, { jobs: 2 * count, attempts: 2 * count });
  return { seconds, figures: latencyFigures(calls), counts, processes };
}
