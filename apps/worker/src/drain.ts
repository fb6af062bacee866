import { type Log, MAX_STOP_GRACE_MS } from '@jetbeat/runtime';
import type { Held } from './held.ts';
import type { HeldJobs } from './held-jobs.ts';
import type { WorkerParams } from './worker-params.ts';

/** How long handlers that were told to stop may take to do so, and outcomes to be stored, milliseconds. */
const ABORT_MS = 500;
/** How long giving back may take, milliseconds. */
const GIVE_BACK_MS = 1_500;
const POLL_MS = 20;

/**
 * What a stopping worker does with what runs (what has not begun it gave back before): it may end within `drainMs`, the rest
 * is told to stop and given back. Losing a slot for some seconds is better than running a job twice. A command has its `grace`, as
 * far as whoever stops this worker waits for that; it is gone before its job is given back.
 */
export async function drain(params: {
  jobs: Pick<HeldJobs, 'size' | 'all'>;
  drainMs: number;
  commands: WorkerParams['commands'];
  giveBack: (held: Held) => Promise<void>;
  letGo: (held: Held) => void;
  log: Pick<Log, 'info' | 'warn'>;
}): Promise<void> {
  const { jobs, drainMs, commands, giveBack, letGo, log } = params;
  const isEmpty = () => jobs.size === 0;
  if (jobs.size > 0) log.info({ jobs: jobs.size, drainMs }, 'waiting for the jobs that run');
  await until(isEmpty, drainMs);
  if (jobs.size === 0) return;
  log.info({ jobs: jobs.size }, 'giving back jobs that have not ended in time');
  const ending = new Map<Held, number>();
  for (const held of jobs.all()) {
    held.interrupt.abort(new Error('the worker is stopping'));
    const graceMs = held.phase === 'running' ? commands.graceOf(held.job) : 0;
    if (graceMs > 0) ending.set(held, Math.min(graceMs, MAX_STOP_GRACE_MS));
  }
  const giveBackAll = (which: (held: Held) => boolean) => {
    for (const held of jobs.all()) {
      if (held.phase !== 'running' || !which(held)) continue;
      giveBack(held).then(
        () => letGo(held),
        (error: unknown) =>
          log.warn({ err: error, job: held.job.id }, 'not given back; it will be delivered again'),
      );
    }
  };
  await until(isEmpty, ABORT_MS);
  giveBackAll((held) => !ending.has(held));
  if (ending.size > 0) {
    const haveEnded = () => [...ending.keys()].every((held) => held.phase !== 'running');
    // At the end of its grace a command is killed by its own handler.
    await until(haveEnded, Math.max(...ending.values()));
    commands.killCommands();
    await until(haveEnded, ABORT_MS);
    giveBackAll((held) => ending.has(held));
  }
  await until(isEmpty, GIVE_BACK_MS);
}

/** Resolves when it is so, or after `ms`. */
function until(isSo: () => boolean, ms: number): Promise<void> {
  const end = Date.now() + ms;
  return new Promise((resolve) => {
    const look = () => {
      if (isSo() || Date.now() >= end) resolve();
      else setTimeout(look, POLL_MS);
    };
    look();
  });
}
