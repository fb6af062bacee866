import { claimSlot, dropHolders, noteWaiting, type SlotAnswer, type SlotClaim } from '@jetbeat/core';
import {
  type Bus,
  changeSemaphore,
  type Decided,
  keySlots,
  type LeaseWatch,
  readSemaphore,
} from '@jetbeat/jetstream';
import { isStale, type Key, keeping, NOBODY } from './keys.ts';

/** So old what is known of a key may be for a newcomer to be parked by it, milliseconds. It is looked at again after that. */
const TRUST_MS = 200;

/**
 * Takes a slot of a key, or finds that the job has one; what this worker holds no more goes with the same change.
 * @throws JetStreamCallError, BusClosedError
 */
export async function takeSlot(
  { bus, leases, now }: { readonly bus: Bus; readonly leases: LeaseWatch; readonly now: () => number },
  key: Key,
  claim: SlotClaim,
): Promise<SlotAnswer> {
  const { job, parks, lease } = claim;
  const isFresh = performance.now() - key.knownAt < TRUST_MS;
  // A slot that was kept for it by somebody else is not known here.
  const isOld = parks > 0 && key.known?.semaphore.holders[job] === undefined;
  const { value } = await keeping(key, isOld ? undefined : (key.known ?? NOBODY), (known) =>
    changeSemaphore<SlotAnswer>(bus, {
      name: keySlots(key.hash),
      known,
      async decide(semaphore): Promise<Decided<SlotAnswer>> {
        const current = dropHolders(semaphore, isStale(key, lease, job));
        const answer = claimSlot(current, claim, now());
        if (answer.kind !== 'elsewhere')
          return { next: answer.next, value: answer, sure: answer.kind === 'full' && isFresh };
        const gone = await leases.gone([answer.lease]);
        if (!gone.has(answer.lease)) return { value: answer };
        const rest = dropHolders(current, (_, id) => id === job);
        const again = claimSlot(rest, claim, now());
        return again.kind === 'elsewhere' ? { value: again } : { next: again.next, value: again };
      },
    }),
  );
  return value;
}

/** Whether a claim would have to wait, by what was known a moment ago. Throws JetStreamCallError, BusClosedError. */
export async function seesFull(
  { bus, now }: { readonly bus: Bus; readonly now: () => number },
  key: Key,
  claim: SlotClaim,
): Promise<boolean> {
  const isFresh = key.known !== undefined && performance.now() - key.knownAt < TRUST_MS;
  const read = async () => ({ stored: await readSemaphore(bus, keySlots(key.hash)) });
  const { semaphore } = (isFresh ? key.known : (await keeping(key, undefined, read)).stored) ?? NOBODY;
  return claimSlot(semaphore, claim, now()).kind === 'full';
}

/** Notes in the slots of a key that a job with this limit waits. Throws JetStreamCallError, BusClosedError. */
export async function noteLimit(bus: Bus, key: Key, limit: number): Promise<void> {
  await keeping(key, undefined, () =>
    changeSemaphore(bus, {
      name: keySlots(key.hash),
      decide: (semaphore) => ({ next: noteWaiting(semaphore, limit), value: undefined }),
    }),
  );
}

/**
 * Says again what is held of a key, and forgets what is not: a killed server does not know the last of either.
 * @throws JetStreamCallError, BusClosedError
 */
export async function sayAgain(bus: Bus, key: Key, lease: string): Promise<void> {
  await keeping(key, undefined, () =>
    changeSemaphore(bus, {
      name: keySlots(key.hash),
      decide(semaphore) {
        const own = [...key.held].filter(([, { slot }]) => slot?.lease === lease).map(([id]) => id);
        const kept = dropHolders(semaphore, isStale(key, lease));
        if (kept === semaphore && own.every((id) => id in semaphore.holders)) return { value: undefined };
        const held = Object.fromEntries(own.map((id) => [id, { lease }]));
        return { next: { ...kept, holders: { ...kept.holders, ...held } }, value: undefined };
      },
    }),
  );
}
