import type { StoredError } from '../errors.ts';
import { callbackJobId } from '../ids.ts';
import { type Call, makeCall } from '../jobs/call.ts';
import type { CallOptions } from '../jobs/call-options.ts';
import type { TerminalState } from '../jobs/job-state.ts';
import type { Reason } from '../jobs/outcome.ts';
import type { TaskRef } from '../jobs/task-ref.ts';
import { type Callback, type CallbackKind, NO_CALLBACKS } from './callback.ts';
import type { Settings } from './settings.ts';

/** A job that has ended, and how. Times in Unix milliseconds. */
export interface EndedJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: TerminalState;
  /** Number of the last attempt. */
  readonly attempt: number;
  readonly createdAt: number;
  readonly finishedAt: number;
  readonly meta?: Readonly<Record<string, string>> | undefined;
  readonly reason?: Reason | undefined;
  readonly result?: unknown;
  readonly error?: StoredError | undefined;
}

/** What others are told of a job that has ended: plain JSON. */
export interface ToldEnd {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: TerminalState;
  readonly attempt: number;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly finishedAt: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly reason?: Reason;
  /** `{truncated: true, bytes}` in place of one that is larger than 64 KiB. */
  readonly result?: unknown;
  /** Without its stack. */
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string };
}

/** The largest result that is passed on, characters of JSON. */
const MAX_RESULT = 65_536;

/** Puts into words for others how a job has ended. */
export function tellEnd(ended: EndedJob): ToldEnd {
  const { id, task, queue, state, attempt, meta = {}, reason, result, error } = ended;
  return {
    id,
    task,
    queue,
    state,
    attempt,
    meta,
    createdAt: new Date(ended.createdAt).toISOString(),
    finishedAt: new Date(ended.finishedAt).toISOString(),
    ...(reason === undefined ? {} : { reason }),
    ...(result === undefined || state !== 'succeeded' ? {} : { result: bounded(result) }),
    ...(error === undefined || state === 'succeeded' ? {} : { error: briefly(error) }),
  };
}

function bounded(result: unknown): unknown {
  const text = JSON.stringify(result);
  return text.length <= MAX_RESULT ? result : { truncated: true, bytes: Buffer.byteLength(text) };
}

function briefly({ name, message, code }: StoredError): NonNullable<ToldEnd['error']> {
  return { name, message, ...(code === undefined ? {} : { code }) };
}

/**
 * Makes the job of a callback. Its id is made of the ended job's, so that whoever repeats it after a crash makes the same one.
 * @param params.kind and `index`: which one it is of the job's callbacks
 * @param params.known the task, where it is known here
 * @throws InvalidInputError when it cannot be made, whoever tries: no repeat would help
 */
export async function makeCallback(params: {
  readonly callback: Callback;
  readonly kind: CallbackKind;
  readonly index: number;
  readonly ended: EndedJob;
  readonly settings: Settings;
  readonly known?: ((task: string) => TaskRef | undefined) | undefined;
  /** Unix milliseconds. */
  readonly now: number;
}): Promise<Call> {
  const { callback, kind, index, ended, settings, known, now } = params;
  const id = callbackJobId(ended.id, kind, index);
  const { task = WEBHOOK_TASK, input } = jobOf(callback, id, tellEnd(ended));
  // They were checked when they were read.
  const { queue, priority, retry, timeout } = callback as CallOptions;
  const options: CallOptions = {
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(retry === undefined ? {} : { retry }),
    ...(timeout === undefined ? {} : { timeout }),
    ...NO_CALLBACKS,
  };
  return makeCall({ task: placed(task, known), input, options, id, now, parent: ended.id, settings });
}

/** The built-in task that sends requests. */
export const WEBHOOK_TASK = 'http.request';

/** What the job of a callback runs, and with which input. */
function jobOf({ task, webhook, input, pass }: Callback, id: string, told: ToldEnd) {
  if (webhook) return { input: webhookInput(webhook, id, { event: `job.${told.state}`, job: told }) };
  if (pass === false) return { task, input: input ?? null };
  return { task, input: { ...(input as object | undefined), parent: told } };
}

/** The input of `http.request` for a webhook. */
export function webhookInput(
  { url, secret }: NonNullable<Callback['webhook']>,
  id: string,
  body: { readonly event: string } & Readonly<Record<string, unknown>>,
): object {
  return {
    method: 'POST',
    url,
    headers: { 'jetbeat-id': id },
    body: { id, ...body },
    ...(secret === undefined ? {} : { sign: secret }),
  };
}

/** Where it goes, from a task that is known; its input is checked by whoever runs it. */
function placed(task: string, known: ((task: string) => TaskRef | undefined) | undefined): TaskRef | string {
  const found = known?.(task);
  if (!found) return task;
  const { name, queue, priority, policy } = found;
  return {
    name,
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(policy === undefined ? {} : { policy }),
  };
}
