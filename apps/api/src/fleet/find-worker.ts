import { type Database, getWorker, type WorkerRecord } from '@jetbeat/postgres';
import Type from 'typebox';
import { maySeeQueue, type Scoped } from '../access/caller.ts';
import { ApiError } from '../problems/problem.ts';

/** The path of one worker. What is no id names none, and is answered so. */
export const WORKER_PARAMS = Type.Object({
  id: Type.String({ maxLength: 512, description: 'Id of the worker.' }),
});

/**
 * The worker of this id, if it serves a queue of the caller.
 * @throws ApiError worker_not_found
 */
export async function findWorker(db: Database, id: string, caller: Scoped): Promise<WorkerRecord> {
  const found = await getWorker(db, id);
  if (found && (caller.queues === undefined || found.queues.some((queue) => maySeeQueue(caller, queue))))
    return found;
  throw new ApiError('worker_not_found', `no worker has the id ${JSON.stringify(id.slice(0, 64))}`);
}

/**
 * The same, for whoever wants to tell it something: all of its queues must be the caller's.
 * @throws ApiError worker_not_found, queue_not_allowed
 */
export async function findOwnWorker(db: Database, id: string, caller: Scoped): Promise<WorkerRecord> {
  const found = await findWorker(db, id, caller);
  if (found.queues.every((queue) => maySeeQueue(caller, queue))) return found;
  throw new ApiError('queue_not_allowed', 'the worker serves other queues too, which the key may not use');
}
