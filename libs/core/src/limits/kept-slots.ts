import { dropHolders, type Semaphore, type SlotClaim } from './semaphore.ts';

/** Keeps a slot for a parked job, if one is free and the job has none. */
export function reserveSlot(
  semaphore: Semaphore,
  claim: Pick<SlotClaim, 'job' | 'parks' | 'limit'> & { readonly here?: boolean; readonly queue?: string },
  until: number,
): Semaphore | undefined {
  const { holders } = semaphore;
  const { job, parks, limit, queue } = claim;
  if (holders[job] || Object.keys(holders).length >= limit) return undefined;
  const here = claim.here ? { here: true } : {};
  const kept = { ...holders, [job]: { until, parks, ...here, ...(queue === undefined ? {} : { queue }) } };
  return { ...semaphore, holders: kept, waiting: true };
}

/** The queues of jobs that slots are kept for, and which have not come for them. */
export function keptFor({ holders }: Semaphore): string[] {
  const queues = Object.values(holders).flatMap((holder) => ('until' in holder ? [holder.queue] : []));
  return [...new Set(queues.filter((queue) => queue !== undefined))];
}

/**
 * Takes back slots that are kept for jobs of these queues, the last that was kept first, until fewer than `limit` are taken; undefined where
 * they do not suffice. Whoever comes for one that was taken back finds it free, or waits anew.
 */
export function takeBack(
  semaphore: Semaphore,
  queues: ReadonlySet<string>,
  limit: number,
): Semaphore | undefined {
  const holders = Object.entries(semaphore.holders);
  const kept = holders.filter(([, holder]) => 'until' in holder && queues.has(holder.queue ?? ''));
  const tooMany = holders.length - limit + 1;
  if (tooMany <= 0) return semaphore;
  if (kept.length < tooMany) return undefined;
  const goes = new Set(kept.slice(-tooMany).map(([job]) => job));
  return dropHolders(semaphore, (_, job) => goes.has(job));
}
