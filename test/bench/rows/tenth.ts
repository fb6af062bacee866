import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { shown } from '../table.ts';
import { goTheWholeWay, wholeWayApps, wholeWayCounts } from './whole-way.ts';

/** The whole way ten times on one database: does it slow down with its history? */
export const tenth: Row = {
  name: 'tenth',
  what: 'the whole way, ten times 100,000 jobs on one database: the tenth time against the first',
  measures: [
    { name: 'tenth / first', unit: 'ratio', better: 'more' },
    { name: 'first', unit: 'jobs/s', better: 'more' },
    { name: 'tenth', unit: 'jobs/s', better: 'more' },
  ],
  run: (open) => open(tenTimes),
};

const TIMES = 10;

async function tenTimes(stage: Stage): Promise<Found> {
  const count = stage.quick ? 500 : 100_000;
  const warmUp = count / 5;
  const load = await wholeWayApps(stage);
  await goTheWholeWay(stage, load, warmUp);
  const rates: number[] = [];
  const clock = await stage.processes.startClock();
  for (let time = 1; time <= TIMES; time++) {
    const begun = performance.now();
    await goTheWholeWay(stage, load, count);
    const rate = (count * 1_000) / (performance.now() - begun);
    rates.push(rate);
    stage.say(`${time} of ${TIMES}: ${shown(rate)} jobs/s`);
  }
  const { seconds, processes } = await clock.stop();
  const first = rates[0] ?? 0;
  const last = rates[TIMES - 1] ?? 0;
  return {
    seconds,
    figures: { 'tenth / first': last / first, first, tenth: last },
    counts: await wholeWayCounts(stage, warmUp + TIMES * count),
    processes,
    notes: { rates },
  };
}
