import { randomUUID } from 'node:crypto';
import {
  type Call,
  type CallOptions,
  InvalidInputError,
  type Issue,
  isUuid,
  makeCallNow,
  parseTraceparent,
  type Settings,
  type TaskRef,
  traceOf,
  type UniqueAsk,
  uuidV7From,
} from '@jetbeat/core';
import type { JobToPublish } from '@jetbeat/jetstream';

/** What a call may say about its job; what it leaves out, see `CallOptions`. */
export interface EnqueueOptions extends CallOptions {
  /**
   * The id of a call that is repeated, a UUIDv7 (every job and every EnqueueError carries one): whether or not the earlier
   * call came through, the job runs once.
   */
  readonly id?: string;
  /** W3C trace context of the caller; without it the job begins a trace of its own. */
  readonly traceparent?: string;
}

/** Something that the caller should know about a job that was accepted. */
export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** A job that is in JetStream. */
export interface EnqueuedJob {
  readonly id: string;
  readonly task: string;
  /** 32 hex digits. */
  readonly traceId: string;
  readonly warnings: readonly Warning[];
  /** False: a job with this unique key is there already, and this is it; what was asked for was not stored. */
  readonly created: boolean;
  /** The id of the job whose place it has taken (`onConflict: 'replace'`). */
  readonly replaced?: string;
}

/** A job that is ready to be published. */
export interface Prepared {
  readonly job: EnqueuedJob;
  readonly publish: JobToPublish;
  /** What the call wants of its key; to be asked for first. */
  readonly unique?: UniqueAsk | undefined;
}

/** What was said by whoever says nothing. */
const NO_OPTIONS: EnqueueOptions = {};
const NO_WARNINGS: readonly Warning[] = [];

/**
 * Makes the job of one call; without a promise where the task's check needs none.
 * @throws InvalidInputError for a wrong option or input, at once or by the promise
 */
export function prepare(
  settings: Settings,
  task: TaskRef | string,
  input: unknown,
  given: EnqueueOptions = NO_OPTIONS,
): Prepared | Promise<Prepared> {
  const now = Date.now();
  if (given === NO_OPTIONS) {
    const call = makeCallNow({ task, input, id: uuidV7From(now, randomUUID()), now, settings });
    return call instanceof Promise ? call.then(untraced) : untraced(call);
  }
  const { id, traceparent, ...options } = given;
  checkOwn(id, traceparent);
  const call = makeCallNow({
    task,
    input,
    options,
    id: id ?? uuidV7From(now, randomUUID()),
    now,
    settings,
  });
  const finish = (made: Call): Prepared => ({
    job: jobOf(made, traceparent),
    unique: made.unique,
    publish: {
      ...made,
      ...(traceparent === undefined ? {} : { traceparent }),
      // Nobody knows here whether the earlier call came through, so whoever takes the job asks.
      ...(id === undefined ? {} : { repeat: true }),
    },
  });
  return call instanceof Promise ? call.then(finish) : finish(call);
}

function untraced(call: Call): Prepared {
  return { job: jobOf(call, undefined), publish: call };
}

function jobOf({ envelope: { id, task } }: Call, traceparent: string | undefined): EnqueuedJob {
  return { id, task, traceId: traceOf({ id, traceparent }).traceId, warnings: NO_WARNINGS, created: true };
}

function checkOwn(id: unknown, traceparent: unknown): void {
  const issues: Issue[] = [];
  // History is kept by the day that the id names, so only version 7 will do.
  if (id !== undefined && !(isUuid(id) && id[14] === '7')) {
    issues.push({ pointer: '/id', code: 'invalid_value', message: 'id is a UUIDv7 in lower case' });
  }
  if (
    traceparent !== undefined &&
    !(typeof traceparent === 'string' && parseTraceparent(traceparent) !== undefined)
  ) {
    issues.push({
      pointer: '/traceparent',
      code: 'invalid_value',
      message: 'traceparent is a W3C trace context',
    });
  }
  if (issues.length > 0) throw new InvalidInputError(issues.map(({ message }) => message).join('; '), issues);
}
