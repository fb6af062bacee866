import type { ManyOf } from '../load/command.ts';
import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import {
  drainedCounts,
  historyCounts,
  makeTopology,
  startWithLast,
  untilDrained,
  untilRecorded,
} from '../steps.ts';

function drainRow(params: { name: string; what: string; recorder: boolean; goal: number }): Row {
  const { name, what, recorder, goal } = params;
  return {
    name,
    what,
    measures: [{ name: 'rate', unit: 'jobs/s', better: 'more', goal }],
    run: (open) => open((stage) => draining(stage, { count: 200_000, recorder })),
  };
}

/**
 * One warm worker works off a pile of no-op jobs. The pile is made while the lane is paused, so the clock runs from the
 * moment of the first delivery until the server has the last acknowledgement.
 * @param params.prepare called when streams are there and nothing is in them
 */
export async function draining(
  stage: Stage,
  params: {
    count: number;
    recorder: boolean;
    prepare?: () => Promise<void>;
    /** What jobs; default no-ops. */
    of?: ManyOf;
    /** For the worker. */
    env?: Readonly<Record<string, string>>;
  },
): Promise<Found> {
  const { recorder, prepare, of = 'noop', env = {} } = params;
  const count = stage.quick ? 2_000 : params.count;
  const warmUp = count / 5;
  const all = warmUp + count;
  if (recorder) await stage.start('recorder');
  else await makeTopology(stage);
  await prepare?.();
  const load = await stage.load();
  await stage.start('worker', { env });
  await load.call({ kind: 'many', count: warmUp, of });
  await untilDrained(stage);
  await stage.streams.pause();
  await load.call({ kind: 'many', count: count - 1, of });
  if (recorder) await untilRecorded(stage);
  const clock = await startWithLast(stage, load);
  await untilDrained(stage);
  const { seconds, processes } = await clock.stop();
  const drained = await drainedCounts(stage, all);
  // Not measured: every attempt must be found in history, whenever the recorder gets to it.
  if (!recorder) await stage.start('recorder', { unwatched: true });
  await untilRecorded(stage);
  const counts = [...drained, ...(await historyCounts(stage, { jobs: all, attempts: all }))];
  return { seconds, figures: { rate: count / seconds }, counts, processes };
}

/** The worker alone. */
export const drain = drainRow({
  name: 'drain',
  what: 'one worker drains no-op jobs, recorder stopped',
  recorder: false,
  goal: 60_000,
});

/** With the recorder beside it. */
export const drainRecorded = drainRow({
  name: 'drain-recorded',
  what: 'one worker drains no-op jobs, recorder running',
  recorder: true,
  goal: 60_000,
});
