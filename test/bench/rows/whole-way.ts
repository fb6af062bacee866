import type { Load } from '../load.ts';
import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { drainedCounts, historyCounts, untilDrained, untilRecorded } from '../steps.ts';

/** From the first enqueue until the last row is terminal: `enqueueMany`, worker, recorder, PostgreSQL, all at once. */
export const wholeWay: Row = {
  name: 'whole-way',
  what: '`enqueueMany` → worker → recorder → PostgreSQL, all at once',
  measures: [{ name: 'rate', unit: 'jobs/s', better: 'more', goal: 15_000 }],
  run: (open) => open(onceTheWholeWay),
};

async function onceTheWholeWay(stage: Stage): Promise<Found> {
  const count = stage.quick ? 2_000 : 200_000;
  const warmUp = count / 5;
  const load = await wholeWayApps(stage);
  await goTheWholeWay(stage, load, warmUp);
  const clock = await stage.processes.startClock();
  await goTheWholeWay(stage, load, count);
  const { seconds, processes } = await clock.stop();
  const counts = await wholeWayCounts(stage, warmUp + count);
  return { seconds, figures: { rate: count / seconds }, counts, processes };
}

/** Starts a recorder, a worker and what makes load. */
export async function wholeWayApps(stage: Stage): Promise<Load> {
  await stage.start('recorder');
  await stage.start('worker');
  return await stage.load();
}

/** Resolves when so many new jobs have been enqueued, run and recorded. */
export async function goTheWholeWay(stage: Stage, load: Load, count: number): Promise<void> {
  await load.call({ kind: 'many', count });
  await untilDrained(stage);
  // An outcome is stored in EVENTS before its job is acknowledged, so this holds all of them.
  await untilRecorded(stage);
}

/** What both servers must say when `jobs` have gone the whole way. History is asked at once: nothing may be missing. */
export async function wholeWayCounts(stage: Stage, jobs: number) {
  return [...(await historyCounts(stage, { jobs, attempts: jobs })), ...(await drainedCounts(stage, jobs))];
}
