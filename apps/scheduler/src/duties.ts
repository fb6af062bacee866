import { type Bus, openCancelled } from '@jetbeat/jetstream';
import {
  ANSWER_KEPT_MS,
  type Database,
  databaseTime,
  forgetAnswers,
  forgetSessions,
  pauseAllFailing,
  retainAudit,
  retainOccurrences,
} from '@jetbeat/postgres';
import { every, type Log } from '@jetbeat/runtime';
import { cancelRuns } from './cancel-runs.ts';

/** What the scheduler's duties beside planning need. */
export interface DutiesParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly log: Log;
  /** Milliseconds: how long it is kept what became of times, and who changed what. */
  readonly keep: { readonly occurrences: number; readonly audit: number };
}

/** What goes on beside planning. */
export interface Duties {
  /** Jobs are to be cancelled: do not wait for the next pass. */
  cancel(): void;
  start(): void;
  stop(): Promise<void>;
}

const CANCEL_EVERY_MS = 1_000;
const FAILING_EVERY_MS = 5_000;
const RETAIN_EVERY_MS = 60_000;
const RETAIN_LIMIT = 1_000;
/** How long a session that is over can be looked at, milliseconds. */
const SESSION_KEPT_MS = 30 * 86_400_000;
/** Between two steps of removing, for everybody else, in milliseconds. */
const RETAIN_PAUSE_MS = 100;

/** Puts every duty into its loop. */
export function createDuties({ db, bus, log, keep }: DutiesParams): Duties {
  const cancelled = openCancelled(bus, { log });
  const told = new Set<string>();
  const cancelLoop = every({
    name: 'cancel',
    intervalMs: CANCEL_EVERY_MS,
    log,
    async pass() {
      await cancelRuns({ db, bus, cancelled, told });
    },
  });
  const failingLoop = every({
    name: 'failing',
    intervalMs: FAILING_EVERY_MS,
    log,
    async pass() {
      for (const { name, paused } of await pauseAllFailing(db, await databaseTime(db)))
        log.warn({ schedule: name }, `a schedule is paused: ${paused?.note}`);
    },
  });
  const retainLoop = every({
    name: 'retain',
    intervalMs: RETAIN_EVERY_MS,
    log,
    async pass() {
      const now = await databaseTime(db);
      const limit = RETAIN_LIMIT;
      const removed = [
        await retainOccurrences(db, { before: now - keep.occurrences, limit }),
        await retainAudit(db, { before: now - keep.audit, limit }),
        await forgetAnswers(db, { before: now - ANSWER_KEPT_MS, limit }),
        await forgetSessions(db, { before: now - SESSION_KEPT_MS, limit }),
      ];
      return Math.max(...removed) < limit ? RETAIN_EVERY_MS : RETAIN_PAUSE_MS;
    },
  });
  const loops = [cancelLoop, failingLoop, retainLoop];
  return {
    cancel: () => cancelLoop.poke(),
    start() {
      for (const loop of loops) loop.start();
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
      await cancelled.close();
    },
  };
}
