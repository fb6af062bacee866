import { type KeptBatch, KeptDeliveries, type ToKeep } from './kept-deliveries.ts';

/** What the keep-alive thread holds. Jobs are many and mostly short, so that for most of them there is nothing to do. */
export class Keepings {
  readonly #batches = new Map<number, { readonly deliveries: KeptDeliveries; extendedAt: number }>();
  #size = 0;

  /** How many deliveries are held. */
  get size(): number {
    return this.#size;
  }

  add(batch: KeptBatch, now: number): void {
    this.#batches.set(batch.number, { deliveries: new KeptDeliveries(batch), extendedAt: now });
    this.#size += batch.count;
  }

  /** @param keys of deliveries, as `toBatches` gives them */
  release(keys: Iterable<number>): void {
    for (const key of keys) {
      const number = Math.floor(key / BATCH);
      const deliveries = this.#batches.get(number)?.deliveries;
      if (!deliveries?.release(key % BATCH)) continue;
      this.#size--;
      if (deliveries.size === 0) this.#batches.delete(number);
    }
  }

  /** Those that have not been extended for `ms`; from now on they have. */
  *due(now: number, ms: number): Generator<string> {
    for (const batch of this.#batches.values()) {
      if (now - batch.extendedAt < ms) continue;
      batch.extendedAt = now;
      for (const { ackSubject } of batch.deliveries.all()) yield ackSubject;
    }
  }

  /** Which of these jobs are held. */
  among(ids: readonly string[]): string[] {
    const held = new Set<string>();
    for (const { deliveries } of this.#batches.values()) for (const { id } of deliveries.all()) held.add(id);
    return ids.filter((id) => held.has(id));
  }
}

/** The most deliveries in a batch. */
const BATCH = 4_096;

/** Parts deliveries into batches from number `next` on, each with the key of its first delivery; the others follow. */
export function toBatches(
  deliveries: readonly ToKeep[],
  next: number,
): { readonly batch: KeptBatch; readonly key: number }[] {
  const batches: { batch: KeptBatch; key: number }[] = [];
  for (let from = 0, number = next; from < deliveries.length; from += BATCH, number++) {
    const part = deliveries.slice(from, from + BATCH);
    batches.push({ batch: KeptDeliveries.write(part, number), key: number * BATCH });
  }
  return batches;
}
