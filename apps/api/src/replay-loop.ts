import { replayJobId, type Settings } from '@jetbeat/core';
import type { JobToPublish } from '@jetbeat/jetstream';
import { type Database, type JobRecord, type NewJob, openReplays, replayStep } from '@jetbeat/postgres';
import { every, type Log, type Loop } from '@jetbeat/runtime';
import type { Fleet } from './fleet.ts';
import { retryOf } from './retry-job.ts';

/** How often it is looked for replays, and for their next step, milliseconds. */
const EVERY_MS = 1_000;
const STEP_MS = 100;

/**
 * Replays dead letters as was asked for, a step at a time; every API does, and one of them each step. What it makes is
 * stored together with how far it is, so that whatever dies, each is replayed once; what it could not publish any more the
 * recorder does.
 */
export function createReplayLoop(params: {
  db: Database;
  fleet: () => Promise<Fleet>;
  settings: Settings;
  publish: (job: JobToPublish) => void;
  /** Why new jobs are refused now, if so: then it waits. */
  refusal: () => string | undefined;
  clock: () => number;
  log: Log;
}): Loop {
  const { db, fleet, settings, publish, refusal, clock, log } = params;
  const pass = async (): Promise<number> => {
    const ids = await openReplays(db);
    if (ids.length === 0 || refusal() !== undefined) return EVERY_MS;
    const { tasks } = await fleet();
    const now = clock();
    const make = (old: JobRecord, replay: { id: string; createdAt: number }): NewJob | undefined =>
      old.inputKnown
        ? retryOf({
            old,
            request: {},
            task: tasks.get(old.task),
            configured: settings.of(old.task),
            id: replayJobId(replay.id, old.id, replay.createdAt),
            now,
            traceparent: undefined,
          })
        : undefined;
    for (const id of ids) {
      const { made, more } = await replayStep(db, { id, now, make });
      for (const { envelope, traceparent } of made) publish({ envelope, traceparent });
      if (made.length > 0) log.info({ replay: id, jobs: made.length }, 'dead letters replayed');
      if (!more && made.length > 0) log.info({ replay: id }, 'replay of dead letters done');
    }
    return STEP_MS;
  };
  return every({ name: 'replay', intervalMs: EVERY_MS, log, pass });
}
