import { PublishRefusedError, StorageFullError, type StorageWatch } from '@jetbeat/jetstream';

/** Tells whether there is room for new jobs. */
export interface Room {
  /**
   * What new jobs are refused with now, if so; waits up to `waitMs` for room first. Without anything to wait for there is
   * no promise.
   */
  refusal(waitMs?: number): Refusal | Promise<Refusal>;
  /** What new jobs of one queue are refused with now, if so; as far as was heard. */
  queueRefusal(queue: string): PublishRefusedError | undefined;
}

type Refusal = StorageFullError | undefined;

/** Room as the recorders tell it. The first question waits for their first word, at most 250 ms. */
export function createRoom(storage: Pick<StorageWatch, 'begun' | 'refusal' | 'queueRefusal' | 'room'>): Room {
  let begun = false;
  const ready = storage.begun.then(() => {
    begun = true;
  });
  const now = (): Refusal => {
    const { refusal } = storage;
    return refusal === undefined ? undefined : new StorageFullError(refusal);
  };
  const later = async (waitMs: number): Promise<Refusal> => {
    await ready;
    if (waitMs > 0) await storage.room(waitMs);
    return now();
  };
  return {
    queueRefusal(queue) {
      const full = storage.queueRefusal(queue);
      return full === undefined ? undefined : new PublishRefusedError('queue_full', `not stored: ${full}`);
    },
    refusal(waitMs = 0) {
      if (begun && (waitMs === 0 || storage.refusal === undefined)) return now();
      return later(waitMs);
    },
  };
}
