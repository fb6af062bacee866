/** How much of a place is used, in bytes. */
export interface Fill {
  readonly used: number;
  /** Absent when nobody knows the bound. */
  readonly limit?: number;
}

/** How full the places are in which jobs and their events are stored. */
export interface StorageFigures {
  /** What JetStream has on files, over all its servers and streams. */
  readonly store: Fill;
  /** EVENTS: `used` counts what is not in PostgreSQL yet; what is, goes as soon as its room is needed. */
  readonly events: Fill;
  /** Queues in which as many jobs wait as may, or more. */
  readonly full?: readonly FullQueue[];
}

/** A queue that takes no more jobs. */
export interface FullQueue {
  readonly queue: string;
  /** Jobs that wait in it for a worker. */
  readonly depth: number;
  readonly maxDepth: number;
}

/** Whether new jobs are taken. Retries, parked jobs, children of running jobs and events are taken in any case. */
export type StorageGate = 'open' | 'refuse';

/** From this share on new jobs are refused: the rest belongs to the jobs that are there. */
export const REFUSE_AT = 0.8;
/** New jobs are taken again below this share, so that producers do not start and stop with every job that ends. */
export const OPEN_AT = 0.7;

/** The fuller of the places, and its share from 0. What has no known bound does not count. */
export function storageLevel(figures: StorageFigures): {
  readonly place: 'store' | 'events';
  readonly share: number;
} {
  const store = shareOf(figures.store);
  const events = shareOf(figures.events);
  return events > store ? { place: 'events', share: events } : { place: 'store', share: store };
}

/** What the gate becomes at this fill level. */
export function decideGate(gate: StorageGate, figures: StorageFigures): StorageGate {
  const { share } = storageLevel(figures);
  return share >= (gate === 'open' ? REFUSE_AT : OPEN_AT) ? 'refuse' : 'open';
}

/** One sentence for whoever is refused: what is full, and what to do. */
export function describeStorage(figures: StorageFigures): string {
  const { place, share } = storageLevel(figures);
  const { used, limit = 0 } = figures[place];
  const fill = `${Math.floor(100 * share)} % full (${mebibytes(used)} of ${mebibytes(limit)} MiB)`;
  const rest = 'what is left is kept for jobs that are already there';
  if (place === 'events') {
    return `EVENTS is ${fill} of what is not in PostgreSQL yet, and ${rest}: see that PostgreSQL and a recorder run, and repeat it later`;
  }
  return `the storage of JetStream is ${fill}, and ${rest}: repeat it when workers have done more, run more workers, or raise max_file_store of NATS and storage.limit of Jetbeat`;
}

/** One sentence for whoever is refused: which queue is full, and what to do. */
export function describeFullQueue({ queue, depth, maxDepth }: FullQueue): string {
  return `the queue ${queue} is full: ${depth} jobs wait in it, and its maxDepth is ${maxDepth}; repeat it when workers have done more, run more workers, or raise maxDepth`;
}

/** Reads figures that came over the wire; `undefined` for what is none. */
export function readStorageFigures(value: unknown): StorageFigures | undefined {
  const { store, events, full } = (value ?? {}) as Record<string, unknown>;
  if (!isFill(store) || !isFill(events)) return undefined;
  const queues: unknown[] = Array.isArray(full) ? full : [];
  return queues.length === 0 ? { store, events } : { store, events, full: queues.filter(isFullQueue) };
}

function isFill(value: unknown): value is Fill {
  const { used, limit } = (value ?? {}) as Record<string, unknown>;
  return isBytes(used) && (limit === undefined || (isBytes(limit) && limit > 0));
}

function isFullQueue(value: unknown): value is FullQueue {
  const { queue, depth, maxDepth } = (value ?? {}) as Record<string, unknown>;
  return typeof queue === 'string' && isBytes(depth) && isBytes(maxDepth);
}

function isBytes(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

function shareOf({ used, limit }: Fill): number {
  return limit === undefined ? 0 : used / limit;
}

/** Small bounds are shown with one decimal, or 0.4 of 2 MiB would read as nothing. */
function mebibytes(bytes: number): string {
  const value = bytes / 1024 ** 2;
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}
