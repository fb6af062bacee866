import type { LoadCommand } from '../load/command.ts';
import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { makeTopology } from '../steps.ts';

/** What to enqueue, and how. */
interface Enqueueing {
  readonly count: number;
  readonly command: (count: number) => LoadCommand;
  /** Called when the streams are there and nothing is in them. */
  readonly prepare?: () => Promise<void>;
}

/** A row that fills JOBS from one process, with no other app running. */
export function enqueueRow(params: Enqueueing & { name: string; what: string; goal?: number }): Row {
  const { name, what, goal } = params;
  return {
    name,
    what,
    measures: [{ name: 'rate', unit: 'jobs/s', better: 'more', ...(goal === undefined ? {} : { goal }) }],
    run: (open) => open((stage) => enqueueing(stage, params)),
  };
}

/** Counts jobs per second as the caller sees them: from the first call until the last promise is kept. */
export async function enqueueing(stage: Stage, params: Enqueueing): Promise<Found> {
  const { command } = params;
  const count = stage.quick ? 500 : params.count;
  const warmUp = count / 5;
  await makeTopology(stage);
  await params.prepare?.();
  const load = await stage.load();
  await load.call(command(warmUp));
  const clock = await stage.processes.startClock();
  const { seconds } = await load.call(command(count));
  const { processes } = await clock.stop();
  const jobs = await stage.streams.stream('JOBS');
  return {
    seconds,
    figures: { rate: count / seconds },
    counts: [
      { what: 'JOBS last sequence', wanted: warmUp + count, found: jobs.last },
      { what: 'JOBS messages', wanted: warmUp + count, found: jobs.messages },
    ],
    processes,
  };
}
