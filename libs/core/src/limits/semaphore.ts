import type { RateLimit } from './rate-limit.ts';

/** Who has a slot, or several: a worker under a lease, or a parked job that is on its way back to its queue. */
export type SlotHolder =
  | {
      readonly lease: string;
      /** Slots of a queue are held in blocks; absent: one. */
      readonly count?: number;
    }
  | {
      /** Until when the slot is kept for it, Unix milliseconds. */
      readonly until: number;
      /** How often the job had been parked: the reservation is for that step alone. */
      readonly parks: number;
      /** It was parked for this key, so that whoever gives its slot on would find what is left of it there. */
      readonly here?: boolean;
      /** The queue that it goes back to: while no job of that begins, the slot may go to one of another queue (`takeBack`). */
      readonly queue?: string;
    };

/**
 * The slots of one concurrency key, by the ids of the jobs that have them; or those of a queue, by the names of leases. It
 * is changed by compare-and-set only.
 */
export interface Semaphore {
  readonly holders: Readonly<Record<string, SlotHolder>>;
  /** Jobs are parked, or about to be: whoever frees a slot looks for the oldest of them. */
  readonly waiting?: boolean;
  /** The greatest limit among those; absent: it is not known. While so many slots are taken, none of them can begin. */
  readonly most?: number;
  /** Of a rate: when the next start would be due if all came evenly, Unix milliseconds. */
  readonly tat?: number;
  /** Of a rate: what it is, as whoever asked last knew it. */
  readonly pace?: Pick<RateLimit, 'limit' | 'periodMs' | 'burst'>;
  /**
   * Of a rate: by which others it was asked for a moment ago, and what `tat` is by those. Every start counts by each of them, so that
   * processes that disagree for a while do not forget each other's starts.
   */
  readonly paces?: readonly OtherPace[];
  /** Of a rate: how much longer than usual jobs that are let go are on their way to a worker, milliseconds; absent: no longer. */
  readonly lag?: number;
}

/** Another rate that was taken for the one that holds. */
export interface OtherPace {
  readonly pace: Pick<RateLimit, 'limit' | 'periodMs' | 'burst'>;
  /** As `Semaphore.tat`. */
  readonly tat: number;
}

/** Nobody has a slot. */
export const FREE_SEMAPHORE: Semaphore = { holders: {} };

/** What a job asks for. */
export interface SlotClaim {
  readonly job: string;
  readonly parks: number;
  readonly lease: string;
  readonly limit: number;
  /** It was here before any other had to wait: it is not behind those. */
  readonly first?: boolean | undefined;
}

/**
 * What becomes of a claim. `taken`: the job has a slot; `reserved` says that it was kept for this very step, which proves
 * that nobody has run it before, and `here` that the step was parked for this key. `elsewhere`: another worker has a slot for the same job. `full`: it has to wait.
 */
export type SlotAnswer =
  | { readonly kind: 'taken'; readonly next: Semaphore; readonly reserved: boolean; readonly here: boolean }
  | { readonly kind: 'elsewhere'; readonly lease: string }
  | {
      readonly kind: 'full';
      readonly next: Semaphore;
      readonly taken: number;
      /** Jobs that have the slots, the first few. */
      readonly by: readonly string[];
    };

/** Decides on a claim. A newcomer waits behind what is parked; `now` in Unix milliseconds. */
export function claimSlot(semaphore: Semaphore, claim: SlotClaim, now: number): SlotAnswer {
  const { job, lease, limit, parks } = claim;
  const mine = semaphore.holders[job];
  if (mine && 'lease' in mine && mine.lease !== lease) return { kind: 'elsewhere', lease: mine.lease };
  const live = withoutOverdue(semaphore, now);
  const taken = Object.keys(live.holders).length;
  if (!mine && parks > 0) return claimReleased(live, claim, taken);
  const isBehind = live.waiting === true && claim.first !== true;
  if (!mine && (taken >= limit || isBehind)) return full(live, limit);
  const held = mine !== undefined && 'lease' in mine;
  if (mine && !held && leasedBeside(live, job) >= limit) return keptInVain(live, job, limit);
  const next = held ? live : { ...live, holders: { ...live.holders, [job]: { lease } } };
  const kept = mine !== undefined && 'until' in mine && mine.parks === parks ? mine : undefined;
  return { kind: 'taken', next, reserved: kept !== undefined, here: kept?.here === true };
}

/** So many of those that have slots are named. */
const MAX_NAMED = 2;

function full(live: Semaphore, limit: number): SlotAnswer {
  const jobs = Object.keys(live.holders);
  return { kind: 'full', next: noteWaiting(live, limit), taken: jobs.length, by: jobs.slice(0, MAX_NAMED) };
}

/** How many others have slots, and not only the promise of one. */
function leasedBeside({ holders }: Semaphore, job: string): number {
  return Object.entries(holders).filter(([id, holder]) => id !== job && 'lease' in holder).length;
}

/**
 * A slot was kept that was not free: whoever kept it did not know of one that has it. A server that was killed forgets the last slots,
 * and they are said again afterwards. The job waits anew; the promise goes, or it would hide the job from who hands over.
 */
function keptInVain(live: Semaphore, job: string, limit: number): SlotAnswer {
  const { [job]: _kept, ...holders } = live.holders;
  return full({ ...live, holders }, limit);
}

const UNPROVEN = { reserved: false, here: false } as const;

/**
 * A job that was parked and put back, and was on its way for longer than its slot was kept. It is in hand, so it takes what is
 * free, or is kept for a job that is still on its way: else slots would be kept for one late job after the other, and none begin.
 */
function claimReleased(live: Semaphore, { job, lease, limit }: SlotClaim, taken: number): SlotAnswer {
  const mine = { [job]: { lease } };
  if (taken < limit)
    return { kind: 'taken', next: { ...live, holders: { ...live.holders, ...mine } }, ...UNPROVEN };
  const kept = Object.entries(live.holders).find(([, holder]) => 'until' in holder);
  if (!kept || leasedBeside(live, job) >= limit) return full(live, limit);
  const { [kept[0]]: _given, ...others } = live.holders;
  return { kind: 'taken', next: { ...live, holders: { ...others, ...mine } }, ...UNPROVEN };
}

/** One more waits, whose limit this is. */
export function noteWaiting(semaphore: Semaphore, limit: number): Semaphore {
  const { waiting, most } = semaphore;
  if (!waiting) return { ...semaphore, waiting: true, most: limit };
  return most === undefined || most >= limit ? semaphore : { ...semaphore, most: limit };
}

/** Whether none of those that wait could begin now, whatever its limit. */
export function isFull({ holders, waiting, most }: Semaphore): boolean {
  return waiting === true && most !== undefined && Object.keys(holders).length >= most;
}

/** How many slots of a queue a worker has, or could have. */
export interface BlockClaim {
  readonly lease: string;
  /** What it wants in all. */
  readonly wanted: number;
  /** Slots under which jobs run now: it keeps these, also where the limit was lowered. */
  readonly used: number;
  readonly limit: number;
}

/**
 * Gives a worker as many of a queue's slots as it wants and are left. `count`: those that are noted as its own; `allowed`: under
 * so many of them jobs may begin, which is less while the limit is lower than what runs.
 */
export function claimBlock(
  semaphore: Semaphore,
  claim: BlockClaim,
): { next: Semaphore; count: number; allowed: number } {
  const { lease, wanted, used, limit } = claim;
  const { [lease]: mine, ...others } = semaphore.holders;
  const taken = Object.values(others).reduce((sum, holder) => sum + slotsOf(holder), 0);
  const allowed = Math.min(wanted, Math.max(0, limit - taken));
  const count = Math.max(used, allowed);
  if (count === (mine ? slotsOf(mine) : 0)) return { next: semaphore, count, allowed };
  const holders = count === 0 ? others : { ...others, [lease]: { lease, count } };
  return { next: { holders }, count, allowed };
}

function slotsOf(holder: SlotHolder): number {
  return 'lease' in holder ? (holder.count ?? 1) : 1;
}

/** Without those holders for which `goes` is true. */
export function dropHolders(
  semaphore: Semaphore,
  goes: (holder: SlotHolder, job: string) => boolean,
): Semaphore {
  const kept = Object.entries(semaphore.holders).filter(([job, holder]) => !goes(holder, job));
  if (kept.length === Object.keys(semaphore.holders).length) return semaphore;
  return { ...semaphore, holders: Object.fromEntries(kept) };
}

/** Without reservations whose time is over: whoever was to put the job back has not, or nobody has taken it since. */
export function withoutOverdue(semaphore: Semaphore, now: number): Semaphore {
  return dropHolders(semaphore, (holder) => 'until' in holder && holder.until <= now);
}

/** The leases under which slots are held. */
export function leasesOf({ holders }: Semaphore): string[] {
  return [...new Set(Object.values(holders).flatMap((holder) => ('lease' in holder ? [holder.lease] : [])))];
}

/** Whether it says nothing at all. */
export function isFree({ holders, waiting, tat }: Semaphore): boolean {
  return !waiting && tat === undefined && Object.keys(holders).length === 0;
}

/** Reads what was stored; undefined for what this version does not write. */
export function decodeSemaphore(text: string): Semaphore | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || !isObject(value['holders'])) return undefined;
  return Object.values(value['holders']).every(isHolder) ? (value as unknown as Semaphore) : undefined;
}

function isHolder(value: unknown): boolean {
  if (!isObject(value)) return false;
  return (
    typeof value['lease'] === 'string' ||
    (Number.isFinite(value['until']) && Number.isInteger(value['parks']))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
