import type { Log } from '@jetbeat/runtime';
import type { Held, HeldJobs } from './held.ts';

/** How long handlers that were told to stop may take to do so, and outcomes to be stored, milliseconds. */
const ABORT_MS = 500;
/** How long giving back may take, milliseconds. */
const GIVE_BACK_MS = 1_500;
const POLL_MS = 20;

/**
 * What a stopping worker does with what runs (what has not begun it gave back before): it may end within `drainMs`, the rest
 * is told to stop and given back. Losing a slot for some seconds is better than running a job twice.
 */
export async function drain(params: {
  jobs: HeldJobs;
  drainMs: number;
  giveBack: (held: Held) => Promise<void>;
  letGo: (held: Held) => void;
  log: Log;
}): Promise<void> {
  const { jobs, drainMs, giveBack, letGo, log } = params;
  if (jobs.size > 0) log.info({ jobs: jobs.size, drainMs }, 'waiting for the jobs that run');
  await untilEmpty(jobs, drainMs);
  if (jobs.size === 0) return;
  log.info({ jobs: jobs.size }, 'giving back jobs that have not ended in time');
  for (const held of jobs.all()) held.interrupt.abort(new Error('the worker is stopping'));
  await untilEmpty(jobs, ABORT_MS);
  for (const held of jobs.all()) {
    if (held.phase !== 'running') continue;
    giveBack(held).then(
      () => letGo(held),
      (error: unknown) =>
        log.warn({ err: error, job: held.job.id }, 'not given back; it will be delivered again'),
    );
  }
  await untilEmpty(jobs, GIVE_BACK_MS);
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
