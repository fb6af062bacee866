import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { historyCounts, startWithLast, untilDrained, untilEmpty, untilRecorded } from '../steps.ts';

/** Every job fails once or twice, in turn, and is tried again at once: 2.5 attempts a job. */
export const retry: Row = {
  name: 'retry',
  what: 'one worker; every job fails once or twice without delay, then succeeds; recorder running, since it is asked about a retry that its worker cannot vouch for',
  measures: [
    { name: 'jobs', unit: 'jobs/s', better: 'more' },
    { name: 'attempts', unit: 'attempts/s', better: 'more' },
  ],
  run: (open) => open(retrying),
};

/** An even number of jobs fail so often in all, per job. */
const FAILURES = 1.5;

async function retrying(stage: Stage): Promise<Found> {
  const count = stage.quick ? 1_000 : 50_000;
  const warmUp = count / 5;
  const all = warmUp + count;
  const attempts = all * (1 + FAILURES);
  await stage.start('recorder');
  const load = await stage.load();
  await stage.start('worker');
  await load.call({ kind: 'many', count: warmUp, failures: 1 });
  await untilEmpty(stage);
  await stage.streams.pause();
  await load.call({ kind: 'many', count, failures: 1 });
  await untilRecorded(stage);
  // The last one, which lets the lane go on, is a no-op.
  const clock = await startWithLast(stage, load);
  await untilEmpty(stage);
  const { seconds, processes } = await clock.stop();
  await untilDrained(stage);
  const jobs = await stage.streams.stream('JOBS');
  await untilRecorded(stage);
  return {
    seconds,
    figures: { jobs: count / seconds, attempts: (count * (1 + FAILURES)) / seconds },
    counts: [
      // A try that follows at once is a new message on the job's subject.
      { what: 'JOBS last sequence', wanted: attempts + 1, found: jobs.last },
      { what: 'JOBS messages', wanted: 0, found: jobs.messages },
      ...(await historyCounts(stage, { jobs: all + 1, attempts: attempts + 1 })),
    ],
    processes,
  };
}
