import type { Next } from '../policy/retry.ts';
import type { Position, Priority } from './envelope.ts';
import type { JobState } from './job-state.ts';
import { orderOf, PHASES } from './order.ts';

/** What history knows of a job that has not begun. */
export interface MovableJob extends Position {
  readonly state: JobState;
  readonly priority: Priority;
  /** Unix milliseconds. */
  readonly runAt: number;
  /** When it should next begin, Unix milliseconds. */
  readonly dueAt: number;
  readonly next?: Next;
}

/** What somebody wants to change of it. */
export interface JobMove {
  /** Unix milliseconds; now or earlier means at once. */
  readonly runAt?: number | undefined;
  readonly priority?: Priority | undefined;
}

/** The same job in its new place: a run later, so that history and every worker can tell its message from those before. */
export interface MovedJob {
  readonly state: 'queued' | 'scheduled' | 'retrying';
  readonly attempt: number;
  readonly run: number;
  /** `orderOf` its row. */
  readonly order: number;
  readonly priority: Priority;
  readonly runAt: number;
  readonly dueAt: number;
  readonly next?: Next | undefined;
  /** `orderOf` its new message: those of the job before it are void. */
  readonly below: number;
}

/**
 * Moves a job to another time or another lane. The run rises by one: an old message that a worker has all the same is older
 * than history, and the new one is met with a doubt wherever the old one was begun.
 * @returns undefined where nothing is to be changed
 */
export function moveJob(job: MovableJob, { runAt, priority }: JobMove, now: number): MovedJob | undefined {
  const dueAt = runAt === undefined ? job.dueAt : Math.max(runAt, now);
  const lane = priority ?? job.priority;
  const waits = job.state === 'scheduled' || job.state === 'retrying';
  const isDue = dueAt <= now;
  if (lane === job.priority && (runAt === undefined || (isDue ? !waits : dueAt === job.dueAt)))
    return undefined;
  const shared = { priority: lane, runAt: runAt === undefined ? job.runAt : dueAt, dueAt };
  const { attempt, parks } = job;
  const { next } = job;
  if (job.state === 'retrying' && next?.state === 'retrying') {
    const message = { attempt: next.attempt, run: job.run + 2, parks };
    const below = orderOf(message, PHASES.queued);
    if (isDue) return { ...shared, ...message, state: 'queued', order: below, below };
    const run = job.run + 1;
    const order = orderOf({ attempt, run, parks }, PHASES.settled);
    return { ...shared, state: 'retrying', attempt, run, order, next: { ...next, runAt: dueAt }, below };
  }
  const run = job.run + 1;
  const below = orderOf({ attempt, run, parks }, PHASES.queued);
  return { ...shared, state: isDue ? 'queued' : 'scheduled', attempt, run, order: below, below };
}
