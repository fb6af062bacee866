import { isUuid } from '@jetbeat/core';
import type { DeadMessage } from '@jetbeat/jetstream';
import { getJob, isDiscarded, type JobWithAttempts } from '@jetbeat/postgres';
import Type from 'typebox';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { sequenceOf } from './dead-letter-json.ts';

/** The path of one dead letter. What is no id names none, and is answered so. */
export const DEAD_LETTER_PARAMS = Type.Object({
  jobId: Type.String({
    maxLength: 512,
    description: 'Id of the dead letter: that of its job, or `message-…`.',
  }),
});

/** A dead letter: a job, or a message that never was one. */
export type FoundDead =
  | { readonly job: JobWithAttempts; readonly message?: undefined }
  | { readonly job?: undefined; readonly message: DeadMessage };

/**
 * The dead letter of this id.
 * @param options.discarded also one that was thrown away
 * @throws ApiError dead_letter_not_found
 */
export async function findDeadLetter(
  { db, dead }: Pick<Parts, 'db' | 'dead'>,
  text: string,
  { discarded = false }: { readonly discarded?: boolean } = {},
): Promise<FoundDead> {
  const seq = sequenceOf(text);
  if (seq !== undefined) {
    const message = await dead.message(seq);
    // Those of jobs have the id of the job.
    if (message?.reason.code === 'malformed') return { message };
    throw deadLetterNotFound(text);
  }
  const id = text.toLowerCase();
  const job = isUuid(id) ? await getJob(db, id) : undefined;
  if (job?.state !== 'dead' || (!discarded && (await isDiscarded(db, id)))) throw deadLetterNotFound(text);
  return { job };
}

/** The error for a dead letter that is not there. */
export function deadLetterNotFound(text: string): ApiError {
  return new ApiError(
    'dead_letter_not_found',
    `no dead letter has the id ${JSON.stringify(text.slice(0, 64))}`,
  );
}
