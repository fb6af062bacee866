import { isName } from '../names.ts';

/** What a job may call when it has ended: `onFailure` when it is dead or has expired. Nothing is called when it was cancelled. */
export const CALLBACK_KINDS = ['onSuccess', 'onFailure'] as const;
/** When a callback is made. */
export type CallbackKind = (typeof CALLBACK_KINDS)[number];

/**
 * A job that is made when another one has ended: either `task` or `webhook`. This is how it travels and is kept: plain JSON as people wrote it,
 * checked by `readCallbacks`.
 */
export interface Callback {
  readonly task?: string;
  /** A request that tells what has happened, signed with the secret of this name in the worker's configuration. */
  readonly webhook?: { readonly url: string; readonly secret?: string };
  readonly input?: unknown;
  /** False: the task gets `input` as it is; else what has happened is in its field `parent`. */
  readonly pass?: boolean;
  readonly queue?: string;
  readonly priority?: string;
  readonly retry?: object;
  readonly timeout?: object;
}

/** Callbacks of both kinds, where something is said of them; an empty list: there are none, whatever other layers say. */
export interface Callbacks {
  readonly onSuccess?: readonly Callback[];
  readonly onFailure?: readonly Callback[];
}

/** The most callbacks of one kind. */
export const MAX_CALLBACKS = 10;
/** The largest input of a callback, characters of JSON. */
export const MAX_CALLBACK_INPUT = 16_384;
/** The longest address of a webhook. */
export const MAX_URL = 8_192;

/** Said of a job that is a callback itself: it calls nothing, so nothing can go round in circles. */
export const NO_CALLBACKS = { onSuccess: [], onFailure: [] } as const satisfies Required<Callbacks>;

/** Which callbacks follow an end, if any. */
export function callbackKind(state: string): CallbackKind | undefined {
  if (state === 'succeeded') return 'onSuccess';
  return state === 'dead' || state === 'expired' ? 'onFailure' : undefined;
}

/** Whether a message from the wire has callbacks in its policy that can be made, or none. */
export function areCallbacks(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length <= MAX_CALLBACKS && value.every(isOne));
}

function isOne(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { task, webhook } = value as Callback;
  if (webhook === undefined) return isName('task', task);
  return (
    typeof webhook === 'object' &&
    webhook !== null &&
    typeof webhook.url === 'string' &&
    (webhook.secret === undefined || typeof webhook.secret === 'string')
  );
}
