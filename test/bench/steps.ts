import { waitUntil } from '../support/wait-until.ts';
import type { Load } from './load.ts';
import type { Count } from './result.ts';
import type { Stage } from './stage.ts';
import type { Clock } from './watch-processes.ts';

/** How often a state is looked at while the clock runs, milliseconds. */
const LOOK_MS = 20;
/** A row that has not come so far by then will not. */
const bound = (stage: Stage) => (stage.quick ? 20_000 : 300_000);

/** Makes streams and tables, as a recorder does when it starts, and leaves nothing running. */
export async function makeTopology(stage: Stage): Promise<void> {
  const recorder = await stage.start('recorder', { unwatched: true });
  await recorder.stop();
}

/**
 * Lets a paused lane go on, and starts the clock. A server that resumes a consumer does not look for waiting pulls; the
 * next message makes it look, so the last job of the pile comes now.
 */
export async function startWithLast(stage: Stage, load: Load): Promise<Clock> {
  await stage.streams.resume();
  const clock = await stage.processes.startClock();
  await load.call({ kind: 'many', count: 1 });
  return clock;
}

/** Waits until every job that JOBS had is acknowledged. */
export async function untilDrained(stage: Stage): Promise<void> {
  const { last } = await stage.streams.stream('JOBS');
  await waitUntil(
    `the worker has acknowledged all ${last}`,
    async () => (await stage.streams.lane()).floor >= last,
    {
      timeoutMs: bound(stage),
      everyMs: LOOK_MS,
    },
  );
}

/** Waits until JOBS holds fewer messages than this. */
export async function untilBacklogBelow(stage: Stage, messages: number): Promise<void> {
  const look = async () => (await stage.streams.stream('JOBS')).messages < messages;
  await waitUntil(`JOBS holds fewer than ${messages} messages`, look, {
    timeoutMs: bound(stage),
    everyMs: LOOK_MS,
  });
}

/** Waits until JOBS is empty; for jobs that come back. */
export async function untilEmpty(stage: Stage): Promise<void> {
  await waitUntil('JOBS is empty', async () => (await stage.streams.stream('JOBS')).messages === 0, {
    timeoutMs: bound(stage),
    everyMs: LOOK_MS,
  });
}

/** Waits until the recorder has committed everything that EVENTS holds now. */
export async function untilRecorded(stage: Stage): Promise<void> {
  const { last } = await stage.streams.stream('EVENTS');
  await waitUntil('all is recorded', async () => (await stage.streams.recorder()).floor >= last, {
    timeoutMs: bound(stage),
    everyMs: LOOK_MS,
  });
}

/** What JOBS must say when all `messages` that ever were in it have been worked off, each delivered once. */
export async function drainedCounts(stage: Stage, messages: number): Promise<Count[]> {
  const jobs = await stage.streams.stream('JOBS');
  const lane = await stage.streams.lane();
  return [
    { what: 'JOBS last sequence', wanted: messages, found: jobs.last },
    { what: 'JOBS messages', wanted: 0, found: jobs.messages },
    { what: 'ack floor of default_normal', wanted: messages, found: lane.floor },
    { what: 'deliveries of default_normal', wanted: messages, found: lane.delivered },
  ];
}

/** What history must say when all jobs have succeeded. */
export async function historyCounts(
  stage: Stage,
  wanted: { jobs: number; attempts: number },
): Promise<Count[]> {
  const { history } = stage;
  return [
    { what: 'count(*) of job', wanted: wanted.jobs, found: await history.jobs() },
    { what: 'count(*) of job succeeded', wanted: wanted.jobs, found: await history.jobs('succeeded') },
    { what: 'count(*) of attempt', wanted: wanted.attempts, found: await history.attempts() },
  ];
}
