import { describeIssues, type JobMove, type MovedJob, moveJob as moved, wrongExpiry } from '@jetbeat/core';
import type { JobRecord } from '@jetbeat/postgres';
import type { JobAudit } from '../audit/audit-jobs.ts';
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

/** What moving a job asks of JetStream and PostgreSQL. */
export interface MovePorts extends ReachPorts {
  /** Unix milliseconds. */
  clock(): number;
  /** Writes the new place, unless the job has gone on since it was read; the row as it is then. */
  write(job: JobRecord, moved: MovedJob, audit?: JobAudit['done']): Promise<JobRecord | undefined>;
  /** Takes that back: the job runs. */
  undo(job: JobRecord, moved: MovedJob, holder: Holder, audit?: JobAudit['undone']): Promise<void>;
  /** Tells every worker that the messages of the job before this one are void. */
  markMoved(id: string, below: number): Promise<void>;
  unmarkMoved(id: string, below: number): Promise<void>;
  /** Publishes the job of this row, and notes that. */
  publishMoved(job: JobRecord): Promise<void>;
}

/** How often a job is looked at again that went on in the meantime. */
const TRIES = 5;

/**
 * Moves a job that has not begun to another time or lane. PostgreSQL has it first: whatever dies afterwards, the recorder
 * publishes the job at its new place. Then its message is taken out; where a worker may have it, all hear that it is void, and
 * say whether they had begun it: then they have won, and the move is taken back. Last the job is published anew, one run later,
 * so that it is asked about before it begins, and never runs twice.
 * @throws ApiError job_not_found, job_running, job_ended, invalid_request, messaging_unavailable, history_behind, workers_silent
 */
export async function moveJob(
  ports: MovePorts,
  id: string,
  change: JobMove,
  audit?: JobAudit,
): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) if (await tryOnce(ports, id, { change, audit })) return;
  throw new ApiError('history_behind', 'the job goes on faster than it can be moved; repeat later', {
    retryAfter: 1,
  });
}

/** False when the job has gone on meanwhile. */
async function tryOnce(
  ports: MovePorts,
  id: string,
  { change, audit }: { change: JobMove; audit: JobAudit | undefined },
): Promise<boolean> {
  const job = await ports.look(id);
  if (!job) throw notFound(id);
  refuse(job);
  const plan = moved(job, change, ports.clock());
  if (!plan) return true;
  refuseExpired(job, plan);
  needConnection(ports);
  const row = await ports.write(job, plan, audit?.done);
  if (!row) return false;
  if (!(await takeOut(ports, job)) && !(await isFree(ports, job, { plan, audit }))) return false;
  await ports.publishMoved(row);
  return true;
}

/** Whether nobody has begun it; false when it has gone on. */
async function isFree(
  ports: MovePorts,
  job: JobRecord,
  { plan, audit }: { plan: MovedJob; audit: JobAudit | undefined },
): Promise<boolean> {
  const { id, queue, seq } = job;
  await ports.markMoved(id, plan.below);
  // Only history knows which workers there are, and it may lag behind.
  await ports.caughtUp();
  const { holder, silent } = await ports.ask(id, queue);
  if (holder) {
    await ports.undo(job, plan, holder, audit?.undone);
    await ports.unmarkMoved(id, plan.below);
    throw begun();
  }
  if (silent.length > 0) {
    const message = `the job is moved unless one of these workers has begun it, which did not answer: ${silent.slice(0, 3).join(', ')}`;
    throw new ApiError('workers_silent', message, { retryAfter: 2 });
  }
  if (seq !== undefined) await ports.deleteMessage(seq);
  // Nobody holds it: either it has not begun, or it has ended, and then that is stored already.
  await ports.caughtUp();
  return (await ports.look(id))?.order === plan.order;
}

function refuse({ state, inputKnown, cancelRequestedAt }: JobRecord): void {
  refuseEnded(state);
  if (!isWaiting(state)) throw begun();
  if (cancelRequestedAt !== undefined) throw new ApiError('job_ended', 'the job is being cancelled');
  if (!inputKnown)
    throw new ApiError('history_behind', 'history does not know the whole job yet; repeat later', {
      retryAfter: 1,
    });
}

function begun(): ApiError {
  return new ApiError('job_running', 'the job has begun, and what has begun can only be cancelled');
}

function refuseExpired({ expiresAt }: JobRecord, { runAt }: MovedJob): void {
  const wrong = expiresAt === undefined ? undefined : wrongExpiry(expiresAt, runAt);
  if (wrong === undefined) return;
  const issues = [
    { pointer: '/runAt', code: 'invalid_value', message: `${wrong}, and it expires before that` },
  ];
  throw new ApiError('invalid_request', describeIssues(issues), { issues });
}
