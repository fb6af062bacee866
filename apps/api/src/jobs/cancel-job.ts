import type { JobState } from '@jetbeat/core';
import type { JobRecord } from '@jetbeat/postgres';
import type { CancelAudit } from '../audit/audit-jobs.ts';
import { ApiError } from '../problems/problem.ts';
import {
  type Holder,
  isWaiting,
  needConnection,
  notFound,
  type ReachPorts,
  refuseEnded,
  takeOut,
} from './reach-job.ts';

/** What cancelling asks of JetStream and PostgreSQL. */
export interface CancelPorts extends ReachPorts {
  /** Notes the intent in PostgreSQL; the row as it is now. */
  begin(id: string, reason: string | undefined, audit?: CancelAudit): Promise<JobRecord | undefined>;
  /** Ends the row if the job still has not begun. */
  end(id: string, reason: string | undefined): Promise<{ cancelled: boolean; state: JobState } | undefined>;
  /** Notes that the job is being stopped while it runs; its state then. */
  stopping(id: string, holder: Holder | undefined): Promise<JobState | undefined>;
  /** Tells every worker, now and at its start, to drop the job, and to stop it where it runs. */
  mark(id: string, reason: string | undefined): Promise<void>;
  /** Waits a moment. */
  pause(): Promise<void>;
}

/** How often it is looked again at a job whose attempt has just ended, or which has moved on. */
const LOOKS = 20;

/**
 * Cancels a job. The intent comes first, in history, and from then on it holds: nobody takes it back, and what this process cannot
 * do of it any more a recorder does. Then the mark: whatever is handed out from then on is dropped, and what runs is told to stop. Then
 * either its message is taken out before anybody had it, or every live worker says that it has not begun it: it is cancelled. Else
 * it is `cancelling`, until its worker has said how it ended, or the next one has dropped it.
 * @returns what is in the way, where the rest is left to a recorder
 * @throws ApiError job_not_found, job_ended; messaging_unavailable, and then nothing was changed
 */
export async function cancelJob(
  ports: CancelPorts,
  id: string,
  reason: string | undefined,
  audit?: CancelAudit,
): Promise<{ readonly left?: unknown }> {
  let isNoted = false;
  try {
    for (let looks = 0; looks < LOOKS; looks++) {
      const job = await note(ports, { id, reason, audit });
      if (!job) return {};
      isNoted = true;
      await ports.mark(id, reason);
      if ((await carryOut(ports, job, reason)) === 'done') return {};
      await ports.pause();
    }
    return { left: new Error(`the job has gone on each of ${LOOKS} times`) };
  } catch (error) {
    if (!isNoted || isOver(error)) throw error;
    return { left: error };
  }
}

/** The job as it is when the intent stands; undefined when it is cancelled already. */
async function note(
  ports: CancelPorts,
  params: { id: string; reason: string | undefined; audit: CancelAudit | undefined },
): Promise<JobRecord | undefined> {
  const { id, reason, audit } = params;
  const seen = await ports.look(id);
  if (!seen) throw notFound(id);
  if (seen.state === 'cancelled') return undefined;
  refuseEnded(seen.state);
  needConnection(ports);
  const job = await ports.begin(id, reason, audit);
  if (!job) throw notFound(id);
  if (job.state === 'cancelled') return undefined;
  refuseEnded(job.state);
  return job;
}

function isOver(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 'job_ended' || error.code === 'job_not_found');
}

async function carryOut(
  ports: CancelPorts,
  job: JobRecord,
  reason: string | undefined,
): Promise<'done' | 'again'> {
  const { id, queue, seq } = job;
  const waits = isWaiting(job.state);
  if (!waits || !(await takeOut(ports, job))) {
    // Only history knows which workers there are, and it may lag behind.
    if (waits) await ports.caughtUp();
    const { holder, silent } = await ports.ask(id, queue);
    if (holder?.settling) return 'again';
    if (holder || silent.length > 0) return stop(ports, id, holder);
    if (waits && seq !== undefined) await ports.deleteMessage(seq);
    // Nobody holds it: either it has not begun, or it has ended, and then that is stored already.
    await ports.caughtUp();
  }
  const ended = await ports.end(id, reason);
  if (!ended) throw notFound(id);
  if (ended.cancelled || ended.state === 'cancelled') return 'done';
  refuseEnded(ended.state);
  // Its worker is gone; whoever gets it next drops it.
  return stop(ports, id, undefined);
}

async function stop(ports: CancelPorts, id: string, holder: Holder | undefined): Promise<'done' | 'again'> {
  const state = await ports.stopping(id, holder);
  if (state === undefined) throw notFound(id);
  if (state === 'cancelling' || state === 'cancelled') return 'done';
  refuseEnded(state);
  // It stands at another step than the worker has told, or waits for what nobody may bring any more: a recorder ends it when that worker is heard of.
  if (!holder && isWaiting(state))
    throw new ApiError('workers_silent', 'a worker that may have begun the job does not answer');
  return 'again';
}
