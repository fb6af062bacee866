import { askHeld, type Bus, type HeldAnswers } from '@jetbeat/jetstream';
import { type Database, databaseTime, type JobRecord, liveWorkers } from '@jetbeat/postgres';
import type { Hearing } from './hearing.ts';

/** What asking needs. */
export interface AskWorkersParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly hearing: Pick<Hearing, 'within'>;
  /** How long the workers may take to say what they hold, in milliseconds. */
  readonly heldWaitMs: number;
}

/** What the live workers say. */
export interface WorkersAnswer {
  /** Who holds what, by the id of the job. */
  readonly held: HeldAnswers['held'];
  /** The queues of the workers that have not answered: one of them may have begun any job of these. */
  readonly silent: ReadonlySet<string>;
}

/**
 * Asks the live workers of the queues of these jobs what they hold, and tells them to drop what of it they have not begun. Only history
 * knows which workers there are: who asks has read it to its end.
 */
export async function askWorkers(
  { db, bus, hearing, heldWaitMs }: AskWorkersParams,
  jobs: readonly Pick<JobRecord, 'id' | 'queue'>[],
): Promise<WorkersAnswer> {
  const queues = new Set(jobs.map(({ queue }) => queue));
  const live = await liveWorkers(db, { now: await databaseTime(db), within: hearing.within() });
  const asked = live.filter((worker) => worker.queues.some((queue) => queues.has(queue)));
  const { held, answered } = await askHeld(bus, {
    ids: jobs.map(({ id }) => id),
    expect: asked.map(({ id }) => id),
    timeoutMs: heldWaitMs,
    cancel: true,
  });
  const silent = new Set(asked.filter(({ id }) => !answered.has(id)).flatMap((worker) => worker.queues));
  return { held, silent };
}
