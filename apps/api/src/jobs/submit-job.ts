import { encodeEnvelope } from '@jetbeat/core';
import { type AuditEntry, getJob, type NewJob } from '@jetbeat/postgres';
import type { FastifyRequest } from 'fastify';
import { askerOf } from '../access/caller.ts';
import { checkHolder, checkJobScope } from '../access/check-scope.ts';
import { timedId } from '../answers/asked-id.ts';
import type { Parts } from '../parts.ts';
import { ApiError } from '../problems/problem.ts';
import { callersTrace } from '../watching/trace.ts';
import { refuseOversized } from './refuse-oversized.ts';
import { type StoredJob, storeJob } from './store-job.ts';

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

/** One of several jobs of a request. */
export interface SubmittedItem {
  /** The same again for the same one of a repeated request. */
  readonly name: string;
  readonly request: object;
}

/** A job that was made, and what became of it. */
export interface SubmittedJob {
  readonly job: NewJob;
  readonly stored: StoredJob;
}

/**
 * Makes a job and stores it, unless another one has its key; it is accepted when this resolves, and published behind the answer.
 * @param make told, too, whether it is there already: this request is the repeat of one that made it
 * @throws ApiError queue_not_allowed, key_taken, payload_too_large, storage_full, queue_full, messaging_unavailable, database_unavailable, and what `make` throws
 */
export async function submitJob(
  parts: Parts,
  request: FastifyRequest,
  make: (place: NewPlace, isThere: boolean) => NewJob,
  audit?: (job: NewJob) => AuditEntry,
  item?: SubmittedItem,
): Promise<SubmittedJob> {
  const { publish, maxPayload, refusal, clock, sends } = parts;
  const now = clock();
  const id = timedId(request, now)(item?.name ?? 'job');
  const span = sends?.place();
  const before = request.repeatable?.again ? await getJob(parts.db, id) : undefined;
  const { caller } = request;
  const traced = span?.traceparent ?? callersTrace(request.headers.traceparent);
  const job = {
    ...make({ id, now, traceparent: traced }, before !== undefined),
    requestedBy: askerOf(caller),
  };
  const { envelope, traceparent, state } = job;
  if (caller.queues) {
    const { queue: said } = (item ? item.request : (request.body ?? {})) as { queue?: unknown };
    checkJobScope(caller, job, { settings: parts.settings, fleet: await parts.fleet(), said });
  }
  if (before) return { job, stored: { existing: { id, state: before.state }, own: true } };
  refuseOversized({ envelope: encodeEnvelope(envelope).byteLength, most: maxPayload(), pointer: '/input' });
  const full = refusal();
  if (full !== undefined) throw new ApiError('storage_full', full, { retryAfter: RETRY_FULL });
  const queueFull = parts.queueRefusal(envelope.queue);
  if (queueFull !== undefined) throw new ApiError('queue_full', queueFull, { retryAfter: RETRY_FULL });
  const stored = await storeJob(parts, job, audit?.(job));
  if (stored.existing) {
    if (!stored.own) await checkHolder(parts.db, caller, stored.existing.id);
    return { job, stored };
  }
  const { envelope: sent } = stored.job;
  const message = { envelope: sent, traceparent, ...(state === 'scheduled' ? { at: sent.runAt } : {}) };
  publish(span && sends ? sends.from(message, span.parent) : message);
  const { task, queue } = envelope;
  if (!item) request.log.info({ job: id, task, queue, state, by: caller.id }, 'job accepted');
  return { job, stored };
}
