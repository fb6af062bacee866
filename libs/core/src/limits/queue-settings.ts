import { isCount, isObject, isToldRate, rateToTell, readTold } from '../jobs/read-told.ts';
import { RATE_SCOPES, type RateLimit } from './rate-limit.ts';

/** Who stopped a queue, and until when. Times in Unix milliseconds. */
export interface QueuePause {
  readonly by: string;
  readonly note?: string;
  readonly since: number;
  /** From then on the queue runs again, whoever is there to say so. */
  readonly until?: number;
}

/** The limits of one queue over all workers; what is absent has none. */
export interface QueueLimits {
  /** Jobs that run at once. */
  readonly concurrency?: number;
  readonly rateLimit?: RateLimit;
  /** Jobs that may wait; beyond it new ones are refused. */
  readonly maxDepth?: number;
}

/** Which jobs of a queue that wait are to go: messages stored at or before both, since sequences begin anew with a lost stream. */
export interface PurgeMark {
  /** Sequence in JOBS. */
  readonly upTo: number;
  /** By NATS' clock, Unix milliseconds. */
  readonly before: number;
}

/** What holds for one queue now, as every process is told it. */
export interface QueueSettings extends QueueLimits {
  /** Rises with every change, so that an older state never replaces a newer one. */
  readonly version: number;
  readonly paused?: QueuePause;
  /** Present while a purge is under way. */
  readonly purge?: PurgeMark;
}

/** Whether the queue is stopped at this time, Unix milliseconds. */
export function isPaused(settings: QueueSettings | undefined, now: number): boolean {
  const paused = settings?.paused;
  return paused !== undefined && (paused.until === undefined || now < paused.until);
}

/** Whether a message of the queue is to go with a purge that is under way. */
export function isPurged(
  settings: QueueSettings | undefined,
  message: { readonly seq: number; readonly storedAt: number | undefined },
): boolean {
  const mark = settings?.purge;
  return mark !== undefined && message.seq <= mark.upTo && (message.storedAt ?? 0) <= mark.before;
}

/** As it is told: keys in one order, so that equal settings are equal texts. */
export function encodeQueueSettings(settings: QueueSettings): string {
  const { version, concurrency, rateLimit, maxDepth, paused, purge } = settings;
  return JSON.stringify({
    version,
    concurrency,
    rateLimit: rateLimit && rateToTell(rateLimit),
    maxDepth,
    paused: paused && { by: paused.by, note: paused.note, since: paused.since, until: paused.until },
    purge: purge && { upTo: purge.upTo, before: purge.before },
  });
}

/** Reads what was told; undefined for what is none. Fields of a newer version are left alone. */
export function decodeQueueSettings(text: string): QueueSettings | undefined {
  const told = readTold(text);
  if (!told) return undefined;
  const { concurrency, rateLimit, maxDepth, paused, purge } = told;
  if (![concurrency, maxDepth].every((count) => count === undefined || isCount(count, 1))) return undefined;
  if (rateLimit !== undefined && !isToldRate(rateLimit, RATE_SCOPES)) return undefined;
  if (paused !== undefined && !isPause(paused)) return undefined;
  if (purge !== undefined && !isPurgeMark(purge)) return undefined;
  return told as unknown as QueueSettings;
}

function isPause(value: unknown): value is QueuePause {
  if (!isObject(value)) return false;
  const { by, note, since, until } = value;
  return (
    typeof by === 'string' &&
    (note === undefined || typeof note === 'string') &&
    isCount(since, 0) &&
    (until === undefined || isCount(until, 0))
  );
}

function isPurgeMark(value: unknown): value is PurgeMark {
  return isObject(value) && isCount(value.upTo, 0) && isCount(value.before, 0);
}
