import { type EndedEvent, factsOf, type JobFacts } from './event.ts';
import type { JobState } from './job-state.ts';
import type { Reason } from './outcome.ts';

/** What is read of a job that was ended in history. */
type EndedRow = Omit<JobFacts, 'job' | 'seq'> & {
  readonly id: string;
  readonly state: JobState;
  readonly reason?: Reason;
  readonly finishedAt?: number;
};

/**
 * The event of a job that history has ended as cancelled before anybody began it; undefined for any other one. History has it already,
 * and takes the event as a repeat; it is for those who follow what happens.
 */
export function cancelledEvent(job: EndedRow): EndedEvent | undefined {
  const { state, reason, finishedAt } = job;
  if (state !== 'cancelled' || reason === undefined || finishedAt === undefined) return undefined;
  return { kind: 'ended', ...factsOf(job, job.traceId), state, reason, at: finishedAt };
}
