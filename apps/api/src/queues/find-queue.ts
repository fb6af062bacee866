import { describeIssues, InvalidInputError, isName, parseDuration } from '@jetbeat/core';
import type { Queue, RateLimitInput } from '@jetbeat/core/http';
import { getQueue, hasJobs, type QueueRecord } from '@jetbeat/postgres';
import Type from 'typebox';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { queueJson } from './queue-json.ts';
import type { QueuePicture } from './queue-picture.ts';

/** The path of one queue. What may not name a queue names none, and is answered so. */
export const QUEUE_PARAMS = Type.Object({
  queue: Type.String({ maxLength: 512, description: 'Name of the queue.' }),
});

/**
 * The queue as it is shown.
 * @throws ApiError queue_not_found when nothing is known of it: no setting, no worker, no job
 */
export async function showQueue(parts: Parts, name: string, queue?: QueueRecord): Promise<Queue> {
  const { db, queues, clock } = parts;
  if (!isName('queue', name)) throw notFound(name);
  const record = queue ?? (await getQueue(db, name));
  const picture = await queues.picture();
  if (!record && !(await isSeen(db, name, picture))) throw notFound(name);
  return queueJson(name, record, await withWaiting(queues, name, picture), clock());
}

/** @throws ApiError queue_not_found for what cannot be a queue, or of which nothing is known */
export async function checkQueue(parts: Parts, name: string): Promise<void> {
  if (!(await isQueue(parts, name))) throw notFound(name);
}

/** Whether anything is known of a queue, so that it would be shown. */
export async function isQueue({ db, queues }: Pick<Parts, 'db' | 'queues'>, name: string): Promise<boolean> {
  if (!isName('queue', name)) return false;
  return (await getQueue(db, name)) !== undefined || isSeen(db, name, await queues.picture());
}

async function isSeen(
  db: Parts['db'],
  name: string,
  { lanes, unserved, workers }: QueuePicture,
): Promise<boolean> {
  return lanes?.has(name) || unserved?.has(name) || workers.has(name) || hasJobs(db, name);
}

/** Where too many wait without a consumer to be counted together, those of one queue are. */
async function withWaiting(
  queues: Parts['queues'],
  name: string,
  picture: QueuePicture,
): Promise<QueuePicture> {
  const { lanes, unserved } = picture;
  if (!lanes || lanes.has(name) || unserved) return picture;
  const waiting = await queues.countWaiting(name);
  return waiting ? { ...picture, unserved: new Map(waiting.length > 0 ? [[name, waiting]] : []) } : picture;
}

/** The error for a queue that is not there. */
export function notFound(name: string): ApiError {
  const makes = isName('queue', name) ? `: a job, a worker or PUT /api/v1/queues/${name} makes it` : '';
  return new ApiError(
    'queue_not_found',
    `there is no queue named ${JSON.stringify(name.slice(0, 128))}${makes}`,
  );
}

const PERIOD = { min: 1_000, max: 86_400_000 };

/**
 * Reads a rate limit.
 * @throws InvalidInputError for a period out of its bounds
 */
export function readRateLimit({ period, ...counts }: RateLimitInput) {
  const pointer = '/rateLimit/period';
  const periodMs = parseDuration(period, pointer);
  if (periodMs >= PERIOD.min && periodMs <= PERIOD.max) return { ...counts, periodMs };
  const issues = [{ pointer, code: 'invalid_duration', message: 'a period is from 1s to 1d' }];
  throw new InvalidInputError(describeIssues(issues), issues);
}
