import { NOT_BEGUN_STATES } from '@jetbeat/core';
import type { JobRecord } from '@jetbeat/postgres';
import { ApiError } from './problem.ts';

/** What cancelling asks of JetStream and PostgreSQL. */
export interface CancelPorts {
  /** The row as it is now. */
  look(id: string): Promise<JobRecord | undefined>;
  /** Notes the intent in PostgreSQL; the row as it is now. */
  begin(id: string, reason: string | undefined): Promise<JobRecord | undefined>;
  /** Ends the row if the job still has not begun. */
  end(id: string, reason: string | undefined): Promise<{ cancelled: boolean; state: string } | undefined>;
  /** Tells every worker, now and at its start, to drop the job. */
  mark(id: string, reason: string | undefined): Promise<void>;
  /** Takes intent and mark back, unless the job was cancelled meanwhile by another request. */
  unmark(id: string): Promise<void>;
  /** Removes the job's timer and its parking place; how many there were. */
  removeWaiting(id: string, queue: string): Promise<number>;
  /** Sequence up to which messages of this queue and priority have been handed out. */
  handedOut(queue: string, priority: JobRecord['priority']): Promise<number>;
  deleteMessage(seq: number): Promise<boolean>;
  /** Resolves when everything that was stored in EVENTS before is in history. */
  caughtUp(): Promise<void>;
  /** Asks the live workers of the queue to drop the job: whether one has begun it, and which did not answer. */
  ask(id: string, queue: string): Promise<{ begun: boolean; silent: readonly string[] }>;
  isConnected(): boolean;
}

/**
 * Cancels a job that has not begun. The mark comes first, so that whatever is handed out meanwhile is dropped; then either
 * its message is taken out before anybody had it, or every live worker says that it has not begun it.
 * @throws ApiError job_not_found, job_running, job_ended; messaging_unavailable, workers_silent and history_behind when it
 *   cannot be known
 */
export async function cancelJob(ports: CancelPorts, id: string, reason: string | undefined): Promise<void> {
  const seen = await ports.look(id);
  if (!seen) throw notFound(id);
  if (seen.state === 'cancelled') return;
  refuseBegun(seen.state);
  if (!ports.isConnected()) {
    const message = 'NATS does not answer, so the workers cannot be told; nothing was changed, repeat later';
    throw new ApiError('messaging_unavailable', message, { retryAfter: 5 });
  }
  const job = await ports.begin(id, reason);
  if (!job) throw notFound(id);
  refuseBegun(job.state);
  await ports.mark(id, reason);
  try {
    if (!(await takeOut(ports, job))) await askWorkers(ports, job);
    const ended = await ports.end(id, reason);
    if (!ended) throw notFound(id);
    if (!ended.cancelled && ended.state !== 'cancelled') refuseBegun(ended.state);
  } catch (error) {
    await ports.unmark(id).catch(() => {});
    throw error;
  }
}

/** Whether the job was removed from JetStream before a worker could have it. */
async function takeOut(ports: CancelPorts, job: JobRecord): Promise<boolean> {
  const { id, queue, priority, seq } = job;
  if ((await ports.removeWaiting(id, queue)) > 0) return true;
  if (seq === undefined || (await ports.handedOut(queue, priority)) >= seq) return false;
  const deleted = await ports.deleteMessage(seq);
  // It may have been handed out between the look and the deletion.
  return deleted && (await ports.handedOut(queue, priority)) < seq;
}

async function askWorkers(ports: CancelPorts, job: JobRecord): Promise<void> {
  const { id, queue, seq } = job;
  // Only history knows which workers there are, and it may lag behind.
  await ports.caughtUp();
  const { begun, silent } = await ports.ask(id, queue);
  if (begun) refuseBegun('running');
  if (silent.length > 0) {
    const message = `cannot tell whether the job has begun: ${silent.slice(0, 3).join(', ')} did not answer; repeat later`;
    throw new ApiError('workers_silent', message, { retryAfter: 2 });
  }
  if (seq !== undefined) await ports.deleteMessage(seq);
  // Nobody holds it: either it has not begun, or it has ended, and then that is stored already.
  await ports.caughtUp();
}

function refuseBegun(state: string): void {
  if ((NOT_BEGUN_STATES as readonly string[]).includes(state)) return;
  if (state === 'running' || state === 'cancelling') {
    throw new ApiError('job_running', 'the job has begun, and what has begun cannot be cancelled yet');
  }
  throw new ApiError('job_ended', `the job is over: ${state}`);
}

function notFound(id: string): ApiError {
  return new ApiError('job_not_found', `no job has the id ${JSON.stringify(id)}`);
}
