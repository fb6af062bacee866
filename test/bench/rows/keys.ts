import type { Found, Row } from '../row.ts';
import type { Stage } from '../stage.ts';
import { historyCounts, startWithLast, untilEmpty, untilRecorded } from '../steps.ts';

/** Jobs that wait for each other: a slot is taken and given back over the network for each, and many are parked and released. */
export const keys: Row = {
  name: 'keys',
  what: 'one worker drains no-op jobs over 100 concurrency keys with one slot each, recorder running',
  measures: [{ name: 'rate', unit: 'jobs/s', better: 'more' }],
  run: (open) => open(keyed),
};

async function keyed(stage: Stage): Promise<Found> {
  const count = stage.quick ? 500 : 10_000;
  const warmUp = count / 5;
  await stage.start('recorder');
  const load = await stage.load();
  await stage.start('worker');
  await load.call({ kind: 'many', count: warmUp, of: 'keyed' });
  await untilEmpty(stage);
  await stage.streams.pause();
  await load.call({ kind: 'many', count, of: 'keyed' });
  await untilRecorded(stage);
  // The last one, which lets the lane go on, has no key.
  const clock = await startWithLast(stage, load);
  await untilEmpty(stage);
  const { seconds, processes } = await clock.stop();
  const jobs = await stage.streams.stream('JOBS');
  await untilRecorded(stage);
  const all = warmUp + count + 1;
  return {
    seconds,
    figures: { rate: count / seconds },
    counts: [
      { what: 'JOBS messages', wanted: 0, found: jobs.messages },
      ...(await historyCounts(stage, { jobs: all, attempts: all })),
    ],
    processes,
  };
}
