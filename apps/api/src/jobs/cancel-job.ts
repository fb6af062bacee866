import type { JobState } from '@jetbeat/core';
import type { JobRecord } from '@jetbeat/postgres';
import type { JobAudit } from '../audit/audit-jobs.ts';
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
  begin(id: string, reason: string | undefined, audit?: JobAudit['done']): Promise<JobRecord | undefined>;
  /** Ends the row if the job still has not begun. */
  end(id: string, reason: string | undefined): Promise<{ cancelled: boolean; state: JobState } | undefined>;
  /** Notes that the job is being stopped while it runs; its state then. */
  stopping(id: string, holder: Holder | undefined): Promise<JobState | undefined>;
  /** Tells every worker, now and at its start, to drop the job, and to stop it where it runs. */
  mark(id: string, reason: string | undefined): Promise<void>;
  /** Takes intent and mark back, unless the job was cancelled meanwhile by another request. */
  unmark(id: string, audit?: JobAudit['undone']): Promise<void>;
  /** Waits a moment. */
  pause(): Promise<void>;
}

/** How often it is looked again at a job whose attempt has just ended, or which has moved on. */
const LOOKS = 20;

/**
 * Cancels a job. The mark comes first: whatever is handed out from then on is dropped, and what runs is told to stop. Then
 * either its message is taken out before anybody had it, or every live worker says that it has not begun it: it is cancelled. Else
 * it is `cancelling`, until its worker has said how it ended, or the next one has dropped it.
 * @throws ApiError job_not_found, job_ended; messaging_unavailable and history_behind when it cannot be known
 */
export async function cancelJob(
  ports: CancelPorts,
  id: string,
  reason: string | undefined,
  audit?: JobAudit,
): Promise<void> {
  for (let looks = 1; (await tryOnce(ports, { id, reason, audit })) === 'again' && looks < LOOKS; looks++)
    await ports.pause();
}

async function tryOnce(
  ports: CancelPorts,
  params: { id: string; reason: string | undefined; audit: JobAudit | undefined },
): Promise<'done' | 'again'> {
  const { id, reason, audit } = params;
  const seen = await ports.look(id);
  if (!seen) throw notFound(id);
  if (seen.state === 'cancelled') return 'done';
  refuseEnded(seen.state);
  needConnection(ports);
  const job = await ports.begin(id, reason, audit?.done);
  if (!job) throw notFound(id);
  if (job.state === 'cancelled') return 'done';
  refuseEnded(job.state);
  await ports.mark(id, reason);
  try {
    return await carryOut(ports, job, reason);
  } catch (error) {
    await ports.unmark(id, audit?.undone).catch(() => {});
    throw error;
  }
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
  return 'again';
}
