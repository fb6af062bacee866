import { randomBytes } from 'node:crypto';
import { encodeEnvelope, uuidV7 } from '@jetbeat/core';
import type { NewJob } from '@jetbeat/postgres';
import type { FastifyRequest } from 'fastify';
import type { Parts } from './parts.ts';
import { ApiError } from './problem.ts';
import { refuseOversized } from './refuse-oversized.ts';
import { type StoredJob, storeJob } from './store-job.ts';
import { callersTrace } from './trace.ts';

/** A full store empties at the speed of the workers; seconds. */
const RETRY_FULL = 5;

/** What a new job is given. */
export interface NewPlace {
  readonly id: string;
  /** Unix milliseconds. */
  readonly now: number;
  /** Absent: the job is a trace of its own. */
  readonly traceparent: string | undefined;
}

/**
 * Makes a job and stores it, unless another one has its key; it is accepted when this resolves, and published behind the answer.
 * @throws ApiError payload_too_large, storage_full, queue_full, messaging_unavailable, database_unavailable, and what `make` throws
 */
export async function submitJob(
  parts: Parts,
  request: FastifyRequest,
  make: (place: NewPlace) => NewJob,
): Promise<{ readonly job: NewJob; readonly stored: StoredJob }> {
  const { publish, maxPayload, refusal, clock, sends } = parts;
  const now = clock();
  const id = uuidV7(now, randomBytes(10));
  const span = sends?.place();
  const job = make({ id, now, traceparent: span?.traceparent ?? callersTrace(request.headers.traceparent) });
  const { envelope, traceparent, state } = job;
  refuseOversized({ envelope: encodeEnvelope(envelope).byteLength, most: maxPayload(), pointer: '/input' });
  const full = refusal();
  if (full !== undefined) throw new ApiError('storage_full', full, { retryAfter: RETRY_FULL });
  const queueFull = parts.queueRefusal(envelope.queue);
  if (queueFull !== undefined) throw new ApiError('queue_full', queueFull, { retryAfter: RETRY_FULL });
  const stored = await storeJob(parts, job);
  if (stored.existing) return { job, stored };
  const { envelope: sent } = stored.job;
  const message = { envelope: sent, traceparent, ...(state === 'scheduled' ? { at: sent.runAt } : {}) };
  publish(span && sends ? sends.from(message, span.parent) : message);
  request.log.info({ job: id, task: envelope.task, queue: envelope.queue, state }, 'job accepted');
  return { job, stored };
}
