import { formatTraceparent, isTerminal, type JobEnvelope, ownTrace } from '@jetbeat/core';
import type { JobRecord } from './job-record.ts';

/** A job to be published again; whether an earlier publish has succeeded is not known. */
export interface RebuiltJob {
  readonly envelope: JobEnvelope;
  readonly traceparent?: string | undefined;
  /** To be published as a timer for this time, Unix milliseconds. */
  readonly at?: number;
  readonly repeat: true;
}

/**
 * Rebuilds the message of an open job from its row: after a retry or a snooze the one of the next run. Undefined when the job
 * is over, or its input is not known.
 */
export function rebuildJob(job: JobRecord, now: number): RebuiltJob | undefined {
  if (isTerminal(job.state) || !job.inputKnown) return undefined;
  const {
    id,
    task,
    queue,
    priority,
    input,
    createdAt,
    runAt,
    parks,
    meta,
    policy,
    expiresAt,
    schedule,
    parent,
    unique,
  } = job;
  const next = job.next?.state === 'retrying' && job.state === 'retrying' ? job.next : undefined;
  const envelope: JobEnvelope = {
    v: 1,
    id,
    task,
    queue,
    priority,
    input,
    createdAt,
    runAt,
    parks,
    attempt: next?.attempt ?? job.attempt,
    run: next ? job.run + 1 : job.run,
    ...(meta === undefined ? {} : { meta }),
    ...(policy === undefined ? {} : { policy }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(parent === undefined ? {} : { parent }),
    ...(unique === undefined ? {} : { unique }),
    ...(job.losses === 0 ? {} : { losses: job.losses }),
  };
  const waits = (job.state === 'scheduled' || job.state === 'retrying') && job.dueAt > now;
  return {
    envelope,
    traceparent: job.traceparent ?? rebuiltTrace(job),
    ...(waits ? { at: job.dueAt } : {}),
    repeat: true,
  };
}

/** Of a job that history knows by its trace id alone: the span is lost, and nobody has sampled it. */
function rebuiltTrace({ id, traceId }: JobRecord): string | undefined {
  const own = ownTrace(id);
  return traceId === undefined || traceId === own.traceId
    ? undefined
    : formatTraceparent({ ...own, traceId });
}
