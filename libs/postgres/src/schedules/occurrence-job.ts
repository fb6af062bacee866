import { occurrenceJobId } from '@jetbeat/core';
import type { NewJob } from '../jobs/new-job.ts';

/**
 * The job of an occurrence, if it has the id that follows from it: another one would make a second job when the pass is repeated.
 * @throws TypeError
 */
export function ownJob(
  occurrence: { readonly scheduleId: string; readonly nominalTime: number; readonly origin: string },
  job: NewJob,
): NewJob {
  const { scheduleId, nominalTime, origin } = occurrence;
  const id = occurrenceJobId(scheduleId, nominalTime, origin);
  if (job.envelope.id === id) return job;
  throw new TypeError(`the job of an occurrence must have the id ${id}, not ${job.envelope.id}`);
}
