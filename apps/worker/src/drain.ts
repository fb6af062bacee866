import type { Log } from '@jetbeat/runtime';
import type { Held, HeldJobs } from './held.ts';
import type { Ready } from './ready.ts';

/** How long handlers that were told to stop may take to do so, and outcomes to be stored, milliseconds. */
const ABORT_MS = 500;
const POLL_MS = 20;

/**
 * What a stopping worker does with what it holds: what has not begun goes back at once, what runs may end within
 * `drainMs`, the rest is told to stop and given back. Losing a slot for some seconds is better than running a job twice.
 */
export async function drain(params: {
  jobs: HeldJobs;
  ready: Ready;
  drainMs: number;
  giveBack: (held: Held) => Promise<void>;
  letGo: (held: Held) => void;
  log: Log;
}): Promise<void> {
  const { jobs, ready, drainMs, giveBack, letGo, log } = params;
  ready.close();
  await untilEmpty(jobs, drainMs);
  if (jobs.size === 0) return;
  log.info({ jobs: jobs.size }, 'giving back jobs that have not ended in time');
  for (const held of jobs.all()) held.abort.abort(new Error('the worker is stopping'));
  await untilEmpty(jobs, ABORT_MS);
  const left = [...jobs.all()].filter((held) => held.phase === 'running');
  const returned = Promise.all(
    left.map((held) =>
      giveBack(held).then(
        () => letGo(held),
        (error: unknown) =>
          log.warn({ err: error, job: held.job.id }, 'not given back; it will be delivered again'),
      ),
    ),
  );
  await Promise.race([returned, untilEmpty(jobs, ABORT_MS)]);
}

/** Resolves when nothing is held, or after `ms`. */
function untilEmpty(jobs: HeldJobs, ms: number): Promise<void> {
  const end = Date.now() + ms;
  return new Promise((resolve) => {
    const look = () => {
      if (jobs.size === 0 || Date.now() >= end) resolve();
      else setTimeout(look, POLL_MS);
    };
    look();
  });
}
