import {
  InvalidInputError,
  isTerminal,
  isUuid,
  type JetbeatError,
  MAX_DURATION_MS,
  parseDuration,
  summary,
  unknownFields,
} from '@jetbeat/core';
import { askResult, type Bus, BusClosedError, type JobEnding } from '@jetbeat/jetstream';
import type { EnqueuedJob, Warning } from './prepare.ts';
import { JobCancelledError, JobExpiredError, JobFailedError, ResultTimeoutError } from './result-errors.ts';

/** How long to wait for a result. */
export interface ResultOptions {
  /** A duration such as `"30s"`; default `"30s"`. */
  readonly timeout?: string;
}

/** A job whose result can be waited for, in whatever process it was enqueued. */
export interface JobHandle {
  readonly id: string;
  /**
   * What its handler returned, once history has it; at once where the job is over already. A handler that returns nothing gives
   * `undefined`.
   * @throws JobFailedError when it is dead, JobCancelledError, JobExpiredError
   * @throws ResultTimeoutError when it is not over in time, or nobody could say; the job goes on
   */
  result<Result = unknown>(options?: ResultOptions): Promise<Result>;
}

/** A job that is in JetStream, and whose result can be waited for. */
export type SentJob = EnqueuedJob & JobHandle;

const FIELDS = ['timeout'];
const USUAL_MS = 30_000;

/** A handle on any job. Throws InvalidInputError for what is no job id. */
export function jobHandle(bus: Bus, id: string): JobHandle {
  if (!isUuid(id)) {
    const message = `${JSON.stringify(id)} is no job id: use a UUID in lower case`;
    throw new InvalidInputError(message, [{ pointer: '/id', code: 'invalid_id', message }]);
  }
  return { id, result: <Result>(options?: ResultOptions) => resultOf<Result>(bus, id, options) };
}

/** The job of one call. */
export class OwnJob implements SentJob {
  readonly id: string;
  readonly task: string;
  readonly traceId: string;
  readonly warnings: readonly Warning[];
  readonly created: boolean;
  declare readonly replaced?: string;
  readonly #bus: Bus;

  constructor(bus: Bus, job: EnqueuedJob) {
    this.#bus = bus;
    this.id = job.id;
    this.task = job.task;
    this.traceId = job.traceId;
    this.warnings = job.warnings;
    this.created = job.created;
    if (job.replaced !== undefined) Object.assign(this, { replaced: job.replaced });
  }

  result<Result = unknown>(options?: ResultOptions): Promise<Result> {
    return resultOf<Result>(this.#bus, this.id, options);
  }
}

/** Waits for the result of a job; see `JobHandle`. */
export async function resultOf<Result>(bus: Bus, id: string, options: ResultOptions = {}): Promise<Result> {
  const timeoutMs = readTimeout(options);
  const until = performance.now() + timeoutMs;
  const ending = await askResult(bus, { id, timeoutMs, workers: true });
  if (ending?.state !== undefined && isTerminal(ending.state)) {
    if (ending.state === 'succeeded') return ending.result as Result;
    throw errorOf(id, ending);
  }
  if (performance.now() < until) throw new BusClosedError();
  throw new ResultTimeoutError({ id, timeoutMs, ending });
}

function errorOf(id: string, ending: JobEnding): JetbeatError {
  if (ending.state === 'cancelled') return new JobCancelledError({ id, ending });
  if (ending.state === 'expired') return new JobExpiredError({ id, ending });
  return new JobFailedError({ id, ending });
}

function readTimeout(options: ResultOptions): number {
  const issues = unknownFields(options, FIELDS);
  if (issues.length > 0) throw new InvalidInputError(summary('the options of result', issues), issues);
  const { timeout } = options;
  return Math.min(timeout === undefined ? USUAL_MS : parseDuration(timeout, '/timeout'), MAX_DURATION_MS);
}
