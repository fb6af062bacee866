import { waitUntil } from '../../support/wait-until.ts';
import type { Load } from '../load.ts';
import type { Count } from '../result.ts';
import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { latencyFigures } from '../statistics.ts';
import { untilEmpty, untilRecorded } from '../steps.ts';
import { wholeWayApps } from './whole-way.ts';

/** Jobs that wait for their time: how late they begin, spread out and all at once, and what they cost while they wait. */
export const delayed: Row = {
  name: 'delayed',
  what: '100,000 delayed jobs, from their time to the start: 1,000 a second; then 10,000 at one instant',
  measures: [
    { name: 'spread: p50', unit: 'ms', better: 'less' },
    { name: 'spread: p99', unit: 'ms', better: 'less', goal: 600 },
    { name: 'spread: max', unit: 'ms', better: 'less' },
    { name: 'instant: p50', unit: 'ms', better: 'less' },
    { name: 'instant: max', unit: 'ms', better: 'less', goal: 2_000 },
    { name: 'worker: growth while they wait', unit: 'MiB', better: 'less', goal: 10 },
  ],
  run: (open) => open(underWay),
};

const MIB = 1024 ** 2;
/** What storing all of them may take before the first is due, milliseconds. */
const AHEAD_MS = 30_000;

async function underWay(stage: Stage): Promise<Found> {
  const { quick } = stage;
  const spread = { count: quick ? 1_000 : 100_000, everyMs: 1, round: 2 };
  const instant = { count: quick ? 500 : 10_000, everyMs: 0, round: 3 };
  const load = await wholeWayApps(stage);
  await load.call({ kind: 'many', count: quick ? 200 : 20_000 });
  const warm = { count: quick ? 100 : 2_000, everyMs: 1, round: 1 };
  await load.call({ kind: 'delayed', ...warm, from: Date.now() + 500 });
  await untilEmpty(stage);
  await untilRecorded(stage);
  const before = await workerMiB(stage);
  const clock = await stage.processes.startClock();
  const first = await enqueueAhead(stage, load, spread);
  const waiting = await workerMiB(stage);
  await untilAfter(first + spread.count * spread.everyMs);
  await untilEmpty(stage);
  const second = await enqueueAhead(stage, load, instant);
  await untilAfter(second);
  await untilEmpty(stage);
  await untilRecorded(stage);
  const { seconds, processes } = await clock.stop();
  const found = {
    spread: await resultsOf(stage, spread.round),
    instant: await resultsOf(stage, instant.round),
  };
  const late = { spread: latencyFigures(found.spread), instant: latencyFigures(found.instant) };
  const counts: Count[] = [
    { what: 'count(*) of spread jobs succeeded', wanted: spread.count, found: found.spread.length },
    { what: 'count(*) of jobs at one instant succeeded', wanted: instant.count, found: found.instant.length },
  ];
  return {
    seconds,
    figures: {
      'spread: p50': late.spread.p50,
      'spread: p99': late.spread.p99,
      'spread: max': late.spread.max,
      'instant: p50': late.instant.p50,
      'instant: max': late.instant.max,
      'worker: growth while they wait': waiting - before,
    },
    counts,
    processes,
  };
}

/** Stores them all before the first is due; when that is. */
async function enqueueAhead(
  stage: Stage,
  load: Load,
  jobs: { count: number; everyMs: number; round: number },
): Promise<number> {
  const from = Date.now() + (stage.quick ? 1_500 : AHEAD_MS);
  await load.call({ kind: 'delayed', ...jobs, from });
  if (Date.now() > from) throw new Error('storing the jobs took longer than their delay');
  return from;
}

async function workerMiB(stage: Stage): Promise<number> {
  return Math.round(((await stage.processes.residentBytes()).get('worker') ?? 0) / MIB);
}

async function untilAfter(time: number): Promise<void> {
  const timeoutMs = time - Date.now() + 5_000;
  await waitUntil('their time has come', () => Date.now() > time, { timeoutMs, everyMs: 100 });
}

async function resultsOf(stage: Stage, round: number): Promise<number[]> {
  const found = await stage.history.rows<{ ms: number }>(
    `select (result->>'ms')::float8 as ms from job
     where task = 'bench.delayed' and state = 'succeeded' and (result->>'round')::int = ?`,
    [round],
  );
  return found.map(({ ms }) => ms);
}
