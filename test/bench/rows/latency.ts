import type { Load } from '../load.ts';
import type { Count } from '../result.ts';
import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { latencyFigures } from '../statistics.ts';
import { untilDrained, untilRecorded } from '../steps.ts';
import { wholeWayApps } from './whole-way.ts';

function latencyRow(params: {
  name: string;
  what: string;
  seconds: number;
  rateOf: (stage: Stage, load: Load) => Promise<number>;
}): Row {
  const { name, what } = params;
  return {
    name,
    what,
    measures: [
      { name: 'p50', unit: 'ms', better: 'less', goal: 1 },
      { name: 'p90', unit: 'ms', better: 'less' },
      { name: 'p99', unit: 'ms', better: 'less', goal: 5 },
      { name: 'max', unit: 'ms', better: 'less' },
      { name: 'offered', unit: 'jobs/s', better: 'more' },
    ],
    run: (open) => open((stage) => underLoad(stage, params)),
  };
}

/** Jobs that warm everything up, in all. */
const WARM_UP = 20_000;
const WARM_UP_S = 2;

/**
 * From the time at which a job should have been enqueued until its handler begins, by the handler's own clock; each says
 * it in its result, so history knows them all.
 */
async function underLoad(
  stage: Stage,
  params: { seconds: number; rateOf: (stage: Stage, load: Load) => Promise<number> },
): Promise<Found> {
  const load = await wholeWayApps(stage);
  await load.call({ kind: 'many', count: stage.quick ? 500 : WARM_UP });
  await untilDrained(stage);
  const rate = await params.rateOf(stage, load);
  const rounds = { warmUp: 1, measured: 2 };
  await load.call({ kind: 'open-loop', rate, count: rate * WARM_UP_S, round: rounds.warmUp });
  await untilDrained(stage);
  await untilRecorded(stage);
  const count = Math.round(rate * (stage.quick ? 1 : params.seconds));
  const clock = await stage.processes.startClock();
  const { seconds } = await load.call({ kind: 'open-loop', rate, count, round: rounds.measured });
  const { processes } = await clock.stop();
  await untilDrained(stage);
  await untilRecorded(stage);
  const values = await resultsOf(stage, rounds.measured);
  const counts: Count[] = [{ what: 'count(*) of job succeeded', wanted: count, found: values.length }];
  return { seconds, figures: { ...latencyFigures(values), offered: rate }, counts, processes };
}

/** How long jobs of one round took from when they should have been enqueued until they began, milliseconds. */
export async function resultsOf(stage: Stage, round: number): Promise<number[]> {
  const found = await stage.history.rows<{ ms: number }>(
    `select (result->>'ms')::float8 as ms from job
     where task = 'bench.latency' and state = 'succeeded' and (result->>'round')::int = ?`,
    [round],
  );
  return found.map(({ ms }) => ms);
}

/** How many jobs a second enqueue, worker and recorder carry together, by single calls that wait for each other. */
async function capacity(stage: Stage, load: Load): Promise<number> {
  const count = stage.quick ? 1_000 : 60_000;
  const begun = performance.now();
  await load.call({ kind: 'enqueue', count, inFlight: 500 });
  await untilDrained(stage);
  await untilRecorded(stage);
  return (count * 1_000) / (performance.now() - begun);
}

/** A quiet installation. */
export const latency200 = latencyRow({
  name: 'latency-200',
  what: 'enqueue to start, open loop at 200 jobs/s',
  seconds: 30,
  rateOf: async () => 200,
});

/** A busy one. */
export const latencyHalf = latencyRow({
  name: 'latency-half',
  what: 'enqueue to start, open loop at half of what the whole way carries',
  seconds: 15,
  rateOf: async (stage, load) => Math.round((await capacity(stage, load)) / 2),
});
