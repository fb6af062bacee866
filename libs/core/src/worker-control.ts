import { isName } from './names.ts';

/** Jobs that one worker may run at once. */
export const MAX_CONCURRENCY = 10_000;
/** Queues of one worker. */
export const MAX_WORKER_QUEUES = 256;

/** What a worker can be told while it runs. */
export type WorkerCommand =
  /** Says what it has. */
  | { readonly do: 'look' }
  /** Takes nothing new, and ends what it has. */
  | { readonly do: 'drain' }
  /** Takes jobs again. */
  | { readonly do: 'resume' }
  /** Gives back what has not begun, lets the rest end for a while, and ends. */
  | { readonly do: 'stop' }
  | { readonly do: 'concurrency'; readonly value: number }
  | { readonly do: 'queues'; readonly add: readonly string[]; readonly remove: readonly string[] };

/** A job that a worker has. */
export interface WorkersJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly attempt: number;
  /** Unix milliseconds; absent while its handler has not begun. */
  readonly startedAt?: number | undefined;
}

/** What a worker says of itself when it was told something. */
export interface WorkerReport {
  readonly worker: string;
  readonly state: 'running' | 'draining' | 'stopping';
  readonly queues: readonly string[];
  readonly concurrency: number;
  /** Jobs that it has. */
  readonly held: number;
  /** Those of them whose handler has begun. */
  readonly running: number;
  /** Jobs that it has given back because of this. */
  readonly givenBack: number;
  /** Whether anything is different from before. */
  readonly changed: boolean;
  /** At most 100, those that run first. */
  readonly jobs: readonly WorkersJob[];
}

/** The answer of a worker. */
export type WorkerAnswer =
  | { readonly report: WorkerReport; readonly refused?: undefined }
  /** Nothing was changed, and why. */
  | { readonly report?: undefined; readonly refused: string };

/** Reads a command; undefined for anything that is none. */
export function readCommand(given: unknown): WorkerCommand | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const { do: what, value, add, remove } = given as Readonly<Record<string, unknown>>;
  switch (what) {
    case 'look':
    case 'drain':
    case 'resume':
    case 'stop':
      return { do: what };
    case 'concurrency':
      return isCount(value) ? { do: what, value } : undefined;
    case 'queues':
      return areQueues(add) && areQueues(remove) ? { do: what, add, remove } : undefined;
    default:
      return undefined;
  }
}

/** Reads an answer; undefined for anything that is none. */
export function readWorkerAnswer(given: unknown): WorkerAnswer | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const { report, refused } = given as { report?: WorkerReport; refused?: unknown };
  if (typeof refused === 'string') return { refused };
  const isReport = typeof report === 'object' && report !== null && Array.isArray(report.queues);
  return isReport && Array.isArray(report.jobs) ? { report } : undefined;
}

/** Why a worker cannot have these queues in place of those that it has; undefined where it can. */
export function wrongQueues(queues: readonly string[]): string | undefined {
  if (queues.length === 0) return 'a worker has one queue at least: drain it, or stop it';
  if (queues.length > MAX_WORKER_QUEUES) return `a worker has ${MAX_WORKER_QUEUES} queues at most`;
  return undefined;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_CONCURRENCY;
}

function areQueues(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_WORKER_QUEUES &&
    value.every((name) => typeof name === 'string' && isName('queue', name))
  );
}
