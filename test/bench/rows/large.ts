import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { untilDrained, untilRecorded } from '../steps.ts';
import { wholeWayApps, wholeWayCounts } from './whole-way.ts';

const KIB = 256;

/** Inputs as large as they should be at most, through everything. */
export const large: Row = {
  name: 'input-256k',
  what: '`enqueueMany` → worker → recorder → PostgreSQL, all at once, with inputs of 256 KiB',
  measures: [
    { name: 'inputs', unit: 'MiB/s', better: 'more' },
    { name: 'rate', unit: 'jobs/s', better: 'more' },
  ],
  run: (open) => open(largeInputs),
};

async function largeInputs(stage: Stage): Promise<Found> {
  const count = stage.quick ? 40 : 2_000;
  const warmUp = count / 5;
  const load = await wholeWayApps(stage);
  const goTheWholeWay = async (jobs: number) => {
    await load.call({ kind: 'many', count: jobs, of: 'large' });
    await untilDrained(stage);
    await untilRecorded(stage);
  };
  await goTheWholeWay(warmUp);
  const clock = await stage.processes.startClock();
  await goTheWholeWay(count);
  const { seconds, processes } = await clock.stop();
  const counts = await wholeWayCounts(stage, warmUp + count);
  const rate = count / seconds;
  return { seconds, figures: { inputs: (rate * KIB) / 1_024, rate }, counts, processes };
}
