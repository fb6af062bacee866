import { createHash } from 'node:crypto';
import type { Concurrency } from '../policy/concurrency.ts';

/** Among which jobs a key is unique: those of its task, those of its queue, or all. */
export const UNIQUE_SCOPES = ['task', 'queue', 'global'] as const;
/** Among which jobs a key is unique. */
export type UniqueScope = (typeof UNIQUE_SCOPES)[number];

/**
 * Until when a job holds its key: until it is over, until a run of it begins, or for a period that begins with the call. A
 * debounced job and one that is kept as the last hold theirs until a run begins.
 */
export const UNIQUE_MODES = ['unfinished', 'queued', 'period', 'throttle', 'debounce', 'last'] as const;
/** Until when a job holds its key. */
export type UniqueMode = (typeof UNIQUE_MODES)[number];

/** The key of a job, as its message and history carry it. */
export interface UniqueRef {
  readonly key: string;
  readonly scope: UniqueScope;
  readonly mode: UniqueMode;
}

/** What a call wants of its key. */
export interface UniqueAsk extends UniqueRef {
  /** Where another job has the key and no run of it has begun: answer with it, or take its place. */
  readonly onConflict: 'existing' | 'replace';
  /** For `period` and `throttle`: how long the key is held, in milliseconds. */
  readonly forMs?: number;
  /** For `debounce`: how long a job waits for the next call, in milliseconds. */
  readonly delayMs?: number;
  /** For `debounce`: the longest that calls may put the job off, from the first of them on, in milliseconds. */
  readonly maxWaitMs?: number;
}

/** The longest key, in characters. */
export const MAX_UNIQUE_KEY = 256;

/** What a job carries of the key that its call asks for. */
export function refOf({ key, scope, mode }: UniqueAsk): UniqueRef {
  return { key, scope, mode };
}

/** The sorts of keys, which never meet: those that are unique, and one each for what is no question of uniqueness. */
const KINDS: Readonly<Record<UniqueMode, string>> = {
  unfinished: 'unique',
  queued: 'unique',
  period: 'unique',
  throttle: 'throttle',
  debounce: 'debounce',
  last: 'last',
};

/**
 * Names a key within an installation.
 * @param job the job's task and queue
 */
export function uniqueName(
  { key, scope, mode }: UniqueRef,
  job: { readonly task: string; readonly queue: string },
): string {
  const within = scope === 'global' ? '' : scope === 'task' ? job.task : job.queue;
  // No name of a task or a queue has a line break.
  return `${KINDS[mode]}\n${scope}\n${within}\n${key}`;
}

/** The concurrency key of the jobs of which the last is kept: one of them runs at a time. */
export function lastConcurrency(task: string, { key }: UniqueRef): Concurrency {
  const hash = createHash('sha256').update(`${task}\n${key}`).digest('base64url');
  return { key: `keepLast ${hash}`, limit: 1 };
}

/** What PostgreSQL would keep as another text is no key. */
export function isUniqueKey(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > MAX_UNIQUE_KEY) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return value.isWellFormed() && !/[\u0000-\u001f\u007f]/.test(value);
}

/** Whether a value is the key of a job. */
export function isUniqueRef(value: unknown): value is UniqueRef {
  if (typeof value !== 'object' || value === null) return false;
  const { key, scope, mode } = value as Record<keyof UniqueRef, unknown>;
  return (
    isUniqueKey(key) &&
    (UNIQUE_SCOPES as readonly unknown[]).includes(scope) &&
    (UNIQUE_MODES as readonly unknown[]).includes(mode)
  );
}
