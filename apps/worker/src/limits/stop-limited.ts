import type { Log } from '@jetbeat/runtime';
import type { LetGo } from '../ends/let-go.ts';
import type { HeldJobs } from '../held-jobs.ts';
import type { Ready } from '../running/ready.ts';

/** The worker has lost its lease: others may soon take its slots, so what runs under one is told to stop, and given back. */
export function stopLimited(params: {
  jobs: HeldJobs;
  ready: Pick<Ready, 'drop'>;
  letGo: Pick<LetGo, 'refuse'>;
  log: Log;
}): void {
  const { jobs, ready, letGo, log } = params;
  let stopped = 0;
  for (const held of [...jobs.all()]) {
    if (!held.isLimited) continue;
    // Its slot is not given on by this worker, which would look for what is left of it.
    held.traced = true;
    if (held.phase === 'running') held.interrupt.abort(new Error('the worker has lost its lease'));
    else if (held.phase === 'waiting' && ready.drop(held)) letGo.refuse(held);
    else continue;
    stopped++;
  }
  if (stopped > 0)
    log.warn(
      { jobs: stopped },
      'NATS was away for too long: jobs under a limit over all workers are given back',
    );
}
