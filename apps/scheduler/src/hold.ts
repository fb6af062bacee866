import type { StorageWatch } from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';

/**
 * Says why nothing may be dispatched now, or `undefined`; the log tells once when that begins, and once when it is over.
 * Whatever comes due meanwhile stays in PostgreSQL, in its schedule, and the catch-up rules decide about it afterwards.
 */
export function createHold(params: {
  readonly storage: Pick<StorageWatch, 'refusal'>;
  readonly log: Pick<Log, 'warn' | 'info'>;
}): () => string | undefined {
  const { storage, log } = params;
  let holding = false;
  return () => {
    const { refusal } = storage;
    if (holding !== (refusal !== undefined)) {
      holding = !holding;
      if (holding) log.warn({}, `schedules wait, nothing of them is lost: ${refusal}`);
      else log.info({}, 'there is room again: schedules go on, and catch up by their rules');
    }
    return refusal;
  };
}
