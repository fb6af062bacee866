import type { Batch } from './batch.ts';

/** Which event was the first to tell that there is a job, of the jobs that were told of last. */
export interface MadeJobs {
  /** The batch without events that tell of a job a second time. */
  once(batch: Batch): Batch;
}

/** Jobs that are remembered; a job is told of again, if at all, some seconds later. */
const MOST = 20_000;
/** More than there are jobs in any batch. */
const ENTRIES = 2 ** 16;

/**
 * Whoever publishes a job tells of it, and then notes that it did. Where it dies in between, the recorder tells of it again, for nobody can
 * know; a parent that is run again tells of its children again. What is read again stays as it was: the first place counts.
 */
export function createMadeJobs(most = MOST): MadeJobs {
  const places = new Map<string, number>();
  const isFirst = (job: string, place: number): boolean => {
    const known = places.get(job);
    if (known !== undefined && known < place) return false;
    places.delete(job);
    places.set(job, place);
    const [oldest] = places.keys();
    if (places.size > most && oldest !== undefined) places.delete(oldest);
    return true;
  };
  return {
    once(batch) {
      const events = batch.events.filter(
        (event) =>
          event.of !== 'job' || !event.makes || isFirst(event.job, batch.seq * ENTRIES + event.index),
      );
      return events.length === batch.events.length ? batch : { ...batch, events };
    },
  };
}
