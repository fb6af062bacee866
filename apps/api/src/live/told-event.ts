import {
  type Event,
  isName,
  isTerminal,
  isUuid,
  type JobEvent,
  type JobState,
  ownTrace,
  project,
  type WorkerEvent,
} from '@jetbeat/core';
import {
  isTold,
  type LiveJobEvent,
  LiveJobEventSchema,
  type LiveType,
  type LiveWorkerEvent,
  LiveWorkerEventSchema,
} from '@jetbeat/core/http';
import { Compile } from 'typebox/compile';
import { timeText } from '../jobs/job-json.ts';
import { cutError, cutReason, cutResult } from './cut-fields.ts';

/** An event of a job as it is told. */
export interface ToldJobEvent {
  readonly of: 'job';
  /** Its place in its batch. */
  readonly index: number;
  readonly type: LiveType;
  readonly job: string;
  readonly task: string;
  readonly queue: string;
  /** Core `orderOf`. */
  readonly order: number;
  /** When it should next begin, Unix milliseconds. */
  readonly dueAt: number;
  /** When it happened, Unix milliseconds. */
  readonly at: number;
  /** It tells that there is this job. */
  readonly makes: boolean;
  /** The job is over. */
  readonly ends: boolean;
  readonly data: LiveJobEvent;
}

/** An event of a worker as it is told. */
export interface ToldWorkerEvent {
  readonly of: 'worker';
  readonly index: number;
  readonly type: LiveType;
  readonly data: LiveWorkerEvent;
}

/** An event as it is told. */
export type ToldEvent = ToldJobEvent | ToldWorkerEvent;

const JOB_EVENT = Compile(LiveJobEventSchema);
const WORKER_EVENT = Compile(LiveWorkerEventSchema);
const MAX_TEXT = 256;
const MAX_QUEUES = 1_000;

/**
 * What one entry of a batch says to the world. Undefined for what is no event, or holds what an event cannot: anybody with rights
 * on the stream can publish there, and one stranger must not hold up the others.
 */
export function toldEvent(entry: unknown, index: number): ToldEvent | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  try {
    const event = entry as Event;
    return event.kind === 'worker' ? workerEvent(event, index) : jobEvent(event, index);
  } catch {
    return undefined;
  }
}

function jobEvent(event: JobEvent, index: number): ToldJobEvent | undefined {
  const [change] = project([event]).jobs;
  const type = change && typeOf(event, change.state);
  if (
    !change ||
    !type ||
    !isUuid(change.id) ||
    !isName('task', change.task) ||
    !isName('queue', change.queue)
  )
    return undefined;
  const { id, task, queue, priority, state, order, dueAt, progress } = change;
  const at = timeOf(event);
  const { value: result, cut: resultCut } = cutResult(change.result);
  const { value: error, cut: errorCut } = cutError(change.error);
  const { value: reason, cut: reasonCut } = cutReason(change.reason);
  const cut = [...resultCut, ...reasonCut, ...errorCut];
  const worker = 'worker' in event ? event.worker : undefined;
  const data: LiveJobEvent = {
    type,
    at: timeText(at),
    job: {
      id,
      task,
      queue,
      priority,
      state,
      createdAt: timeText(change.createdAt),
      runAt: timeText(change.runAt),
      ...(state === 'retrying' ? { nextRunAt: timeText(change.dueAt) } : {}),
      ...(change.startedAt === undefined ? {} : { startedAt: timeText(change.startedAt) }),
      ...(change.finishedAt === undefined ? {} : { finishedAt: timeText(change.finishedAt) }),
      ...(reason === undefined ? {} : { reason }),
      ...(progress === undefined
        ? {}
        : {
            progress: {
              value: progress.value,
              ...(progress.note === undefined ? {} : { note: progress.note }),
            },
          }),
      ...(result === undefined ? {} : { result }),
      ...(error === undefined ? {} : { error }),
      traceId: change.traceId?.slice(0, MAX_TEXT) ?? ownTrace(id).traceId,
      ...(cut.length === 0 ? {} : { cut }),
    },
    attempt: {
      number: change.attempt,
      ...(worker === undefined ? {} : { workerId: worker.slice(0, MAX_TEXT) }),
      ...(event.kind === 'settled' ? { outcome: event.outcome } : {}),
    },
    order,
  };
  const ends = isTerminal(state);
  if (!JOB_EVENT.Check(data)) return undefined;
  return {
    of: 'job',
    index,
    type,
    job: id,
    task,
    queue,
    order,
    dueAt,
    at,
    makes: makesJob(event),
    ends,
    data,
  };
}

function typeOf(event: JobEvent, state: JobState): LiveType | undefined {
  if (event.kind === 'progress') return 'job.progress';
  return isTold(state) ? `job.${state}` : undefined;
}

/** Whether it tells that there is the job, rather than what became of it. */
function makesJob({ kind }: JobEvent): boolean {
  return kind === 'accepted' || kind === 'published';
}

/** When it happened, Unix milliseconds. */
function timeOf(event: JobEvent): number {
  if (event.kind === 'accepted') return event.envelope.createdAt;
  if (event.kind === 'published') return event.createdAt;
  return event.kind === 'settled' ? event.finishedAt : event.at;
}

function workerEvent(event: WorkerEvent, index: number): ToldWorkerEvent | undefined {
  const { worker: id, state, host, pid, version, queues, concurrency, held } = event;
  if (!queues.every((queue) => isName('queue', queue)) || queues.length > MAX_QUEUES) return undefined;
  const data: LiveWorkerEvent = {
    type: `worker.${state}`,
    at: timeText(event.at),
    worker: {
      id: id.slice(0, MAX_TEXT),
      host: host.slice(0, MAX_TEXT),
      pid,
      version: version.slice(0, MAX_TEXT),
      queues: [...queues],
      concurrency,
      held,
      startedAt: timeText(event.startedAt),
    },
  };
  return WORKER_EVENT.Check(data) ? { of: 'worker', index, type: data.type, data } : undefined;
}
