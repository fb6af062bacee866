import type { WorkerRecord } from '@jetbeat/postgres';

/** Workers that have not answered; until they are heard of again nobody waits for their answer. */
export interface Silences {
  /** Whether nothing was heard of it since it did not answer. */
  lasts(worker: Pick<WorkerRecord, 'id' | 'heardAt'>): boolean;
  /** Notes who of those that count as alive has not answered; returns these. */
  note(live: readonly Pick<WorkerRecord, 'id' | 'heardAt'>[], answered: ReadonlySet<string>): Set<string>;
}

/** Composes it. A worker that was killed would cost each question the whole wait until it counts as gone. */
export function createSilences(): Silences {
  /** When each was heard of before it did not answer. */
  let heard = new Map<string, number>();
  return {
    lasts: ({ id, heardAt }) => heard.get(id) === heardAt,
    note(live, answered) {
      const silent = live.filter(({ id }) => !answered.has(id));
      heard = new Map(silent.map(({ id, heardAt }) => [id, heardAt]));
      return new Set(heard.keys());
    },
  };
}
