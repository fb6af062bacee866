import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { latencyFigures, median } from '../statistics.ts';
import { fireSchedules, type Late, PERIOD_MS } from './schedule.ts';

/** One schedule that fires for long. */
export const scheduleDrift: Row = {
  name: 'schedule-drift',
  what: 'one schedule of 1 s over 10 minutes; drift is how far the p50 of the last minute is from that of the first',
  measures: [
    { name: 'drift', unit: 'ms', better: 'less', goal: 5 },
    { name: 'p50', unit: 'ms', better: 'less' },
    { name: 'p99', unit: 'ms', better: 'less', goal: 25 },
    { name: 'max', unit: 'ms', better: 'less' },
  ],
  run: (open) => open(drifting),
};

const SECONDS = 600;
/** What is compared at both ends, milliseconds; of a shorter run a third of it. */
const WINDOW_MS = 60_000;

async function drifting(stage: Stage): Promise<Found> {
  const fired = await fireSchedules(stage, { schedules: 1, seconds: SECONDS });
  const { from, wanted, dispatched, values, seconds, processes } = fired;
  const { p50, p99, max } = latencyFigures(values.map(({ ms }) => ms));
  const to = from + wanted * PERIOD_MS;
  const window = Math.min(WINDOW_MS, (to - from) / 3);
  const first = middle(values.filter(({ time }) => time < from + window));
  const last = middle(values.filter(({ time }) => time >= to - window));
  const onGrid = new Set(values.map(({ time }) => time).filter((time) => (time - from) % PERIOD_MS === 0));
  return {
    seconds,
    figures: { drift: Math.abs(last - first), p50, p99, max },
    counts: [
      { what: 'count(*) of occurrence dispatched', wanted, found: dispatched },
      { what: 'count(*) of job succeeded', wanted, found: values.length },
      { what: 'different nominal times on the grid', wanted, found: onGrid.size },
    ],
    processes,
    notes: { first, last },
  };
}

function middle(values: readonly Late[]): number {
  return median(values.map(({ ms }) => ms));
}
