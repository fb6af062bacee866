import { type Semaphore, withoutOverdue } from '@jetbeat/core';
import { type Bus, keySlots, readSemaphore } from '@jetbeat/jetstream';
import { type Key, keeping, NOBODY } from './keys.ts';
import { noteLimit } from './take-slot.ts';

/**
 * Jobs were parked for a key: somebody may have freed a slot before he could see them. In the turn of the key.
 * @param passes.look gives free slots to those that are parked
 * @param passes.keepsInVain whether slots are kept for jobs that do not begin
 * @throws JetStreamCallError, BusClosedError, and what `look` throws
 */
export async function lookAfter(
  { bus, now }: { readonly bus: Bus; readonly now: () => number },
  key: Key,
  {
    look,
    keepsInVain,
  }: {
    readonly look: (key: Key) => Promise<unknown>;
    readonly keepsInVain: (semaphore: Semaphore) => Promise<boolean>;
  },
): Promise<void> {
  for (let toLook = key.toLook; toLook; toLook = key.toLook) {
    if (!key.known || key.knownAt < toLook.at)
      await keeping(key, undefined, async () => ({ stored: await readSemaphore(bus, keySlots(key.hash)) }));
    const semaphore = withoutOverdue((key.known ?? NOBODY).semaphore, now());
    const { holders, waiting, most = toLook.limit } = semaphore;
    const isNoted = waiting === true && most >= toLook.limit;
    if (waiting && !isNoted) await noteLimit(bus, key, toLook.limit);
    const mayTake = Object.keys(holders).length < toLook.limit || (await keepsInVain(semaphore));
    if (!isNoted || mayTake) await look(key);
    // What was parked meanwhile asks for another look.
    if (key.toLook === toLook) key.toLook = undefined;
  }
}
