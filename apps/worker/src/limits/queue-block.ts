import { claimBlock, dropHolders, leasesOf, type Semaphore } from '@jetbeat/core';
import { type Bus, changeSemaphore, type Decided, type LeaseWatch, queueSlots } from '@jetbeat/jetstream';

/** Under `allowed` slots jobs may begin; `count` are noted as this worker's, more while a limit is lower than what runs. */
export interface Block {
  readonly allowed: number;
  readonly count: number;
}

/**
 * Asks for slots of a queue, or gives some back.
 * @param params.lease under which they are
 * @param params.used slots under which jobs run now; asked for each try
 * @param params.onCount told what is going to be noted: until that is stored nothing may begin above it
 * @throws JetStreamCallError, BusClosedError
 */
export async function askBlock(params: {
  readonly bus: Bus;
  readonly leases: LeaseWatch;
  readonly queue: string;
  readonly lease: string;
  readonly wanted: number;
  readonly limit: number;
  readonly used: () => number;
  readonly onCount: (count: number) => void;
}): Promise<Block> {
  const { bus, leases, queue, lease, wanted, limit, used, onCount } = params;
  const ask = (semaphore: Semaphore): Decided<Block> => {
    const { next, allowed, count } = claimBlock(semaphore, { lease, wanted, limit, used: used() });
    onCount(count);
    return { next, value: { allowed, count } };
  };
  let looked = false;
  const { value } = await changeSemaphore<Block>(bus, {
    name: queueSlots(queue),
    async decide(semaphore) {
      const first = ask(semaphore);
      if (first.value.allowed >= wanted || looked) return first;
      looked = true;
      const gone = await leases.gone(leasesOf(semaphore));
      return ask(dropHolders(semaphore, (holder) => 'lease' in holder && gone.has(holder.lease)));
    },
  });
  return value;
}
