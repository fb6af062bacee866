import { type Bus, jobsStreamState, type Log } from '@jetbeat/jetstream';
import { type Database, databaseTime, noteStream } from '@jetbeat/postgres';

/** Tells when JOBS is another stream than before. */
export interface StreamWatch {
  /** Looks once. Sequences that history noted are forgotten when they mean nothing any more. */
  look(): Promise<void>;
}

/**
 * Sequences mean nothing in another stream, or above an end that was lost. PostgreSQL forgets its own for all replicas;
 * what this process holds in memory it forgets itself, whichever replica saw it first.
 */
export function createStreamWatch(params: {
  db: Database;
  bus: Bus;
  log: Log;
  /** Called with the end of JOBS now, until it succeeds. */
  onReplaced: (lastSeq: number) => Promise<void>;
}): StreamWatch {
  const { db, bus, log, onReplaced } = params;
  let known: number | undefined;
  let end = 0;
  let replaced = false;
  return {
    async look() {
      const readAt = await databaseTime(db);
      const { created, lastSeq } = await jobsStreamState(bus);
      const { reset } = await noteStream(db, { stream: 'JOBS', created, lastSeq, readAt });
      if (reset)
        log.warn({ created, lastSeq }, 'JOBS is another stream, or has lost its end: looking open jobs up');
      if (reset || (known !== undefined && (known !== created || lastSeq < end))) replaced = true;
      known = created;
      end = lastSeq;
      if (replaced) await onReplaced(lastSeq);
      replaced = false;
    },
  };
}
