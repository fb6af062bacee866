import { isUuid } from '@jetbeat/core';
import { type BatchRecord, type Database, getBatch } from '@jetbeat/postgres';
import Type from 'typebox';
import type { Caller } from '../access/caller.ts';
import { ApiError } from '../problems/problem.ts';

/** The path of one batch. What is no id names none, and is answered so. */
export const BATCH_PARAMS = Type.Object({
  id: Type.String({ maxLength: 512, description: 'Id of the batch.' }),
});

/** The batch of this id, if it is for queues of the caller alone. */
export async function lookForBatch(
  db: Database,
  text: string,
  caller: Pick<Caller, 'queues'>,
): Promise<BatchRecord | undefined> {
  const id = text.toLowerCase();
  const found = isUuid(id) ? await getBatch(db, id) : undefined;
  return found && isOf(found, caller) ? found : undefined;
}

/**
 * The same.
 * @throws ApiError batch_not_found
 */
export async function findBatch(
  db: Database,
  text: string,
  caller: Pick<Caller, 'queues'>,
): Promise<BatchRecord> {
  const found = await lookForBatch(db, text, caller);
  if (found) return found;
  throw new ApiError('batch_not_found', `no batch has the id ${JSON.stringify(text.slice(0, 64))}`);
}

/** When somebody may try again for whom too many go on, seconds. */
const RETRY_MANY = 30;

/** The error for one more than may go on. */
export function tooManyBatches(): ApiError {
  const message =
    'of one caller 20 batches may go on at once, and 100 in all: wait until one is done, or abort one';
  return new ApiError('too_many_batches', message, { retryAfter: RETRY_MANY });
}

function isOf({ queues }: BatchRecord, caller: Pick<Caller, 'queues'>): boolean {
  if (caller.queues === undefined) return true;
  return queues?.every((queue) => caller.queues?.includes(queue)) ?? false;
}
