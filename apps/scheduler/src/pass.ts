import type { Settings } from '@jetbeat/core';
import type { Publisher } from '@jetbeat/jetstream';
import { type Database, databaseTime, listTasks, nextWakeAt, type TaskRecord } from '@jetbeat/postgres';
import type { Log } from '@jetbeat/runtime';
import { readClock } from './clock-check.ts';
import { type DispatchCounts, dispatch, type EventsMarks } from './dispatch.ts';
import { materialize } from './materialize.ts';
import { createRecurrences } from './recurrences.ts';
import type { TraceFires } from './trace-fires.ts';

/** What a pass needs. */
export interface PassParams {
  readonly db: Database;
  /** Where EVENTS stands now; rejects while NATS is away. */
  readonly eventsMarks: () => Promise<EventsMarks>;
  readonly publisher: Pick<Publisher, 'add'>;
  /** Why no new jobs may be made now, if so. */
  readonly hold: () => string | undefined;
  /** What the configuration says of tasks. */
  readonly settings: Settings;
  readonly fires?: TraceFires | undefined;
  readonly log: Pick<Log, 'error'>;
  /** This machine's clock, Unix milliseconds. */
  readonly clock: () => number;
}

/** What a pass did. */
export interface Passed extends DispatchCounts {
  /** Occurrences written, due or missed. */
  readonly occurrences: number;
  /** Nominal times that came due, and that were missed. */
  readonly due: number;
  readonly missed: number;
  /** How soon the next pass has something to do, in milliseconds. */
  readonly nextInMs: number;
}

/** What another process changed (a new schedule, a resume) is seen after this at the latest, in milliseconds. */
export const POLL_MS = 500;
/** A wait for history is usually over in this, and is asked about so often. Milliseconds. */
const WAITING_FOR_MS = 2_000;
const WAITING_POLL_MS = 50;
/** Another replica has what is due under its lock; do not spin on it. */
const BUSY_POLL_MS = 10;
/** The hot path waits no longer for what only overlapping schedules need. */
const EVENTS_WAIT_MS = 250;
const TASKS_FRESH_MS = 2_000;
/** Steps of planning and dispatching; after a long outage the next pass goes on. */
const ROUNDS = 20;

const HELD: Passed = {
  dispatched: 0,
  skipped: 0,
  waiting: 0,
  occurrences: 0,
  due: 0,
  missed: 0,
  nextInMs: POLL_MS,
};

/**
 * Makes the pass of one scheduler: takes the time once, from PostgreSQL, then materializes and dispatches at that time. It may
 * be repeated at any time, and run beside the passes of other replicas.
 */
export function createPass(params: PassParams): () => Promise<Passed> {
  const { db, publisher, hold, settings, fires, log, clock } = params;
  const recurrences = createRecurrences();
  let tasks = new Map<string, TaskRecord>();
  let tasksReadAt = Number.NEGATIVE_INFINITY;
  let waitingUntil = 0;

  const refreshTasks = async (now: number, freshMs: number) => {
    if (now - tasksReadAt < freshMs) return;
    tasks = new Map((await listTasks(db)).map((task) => [task.name, task]));
    tasksReadAt = now;
  };

  return async () => {
    const { now, offset } = await readClock({ databaseTime: () => databaseTime(db), clock });
    // Nothing is planned either: what comes due now is what the catch-up rules are for.
    if (hold() !== undefined) return HELD;
    // Asked after the time was taken, so that these marks lie behind every due time of this pass.
    const events = atMost(EVENTS_WAIT_MS, params.eventsMarks());
    // Else after the dispatch, which it would delay.
    await refreshTasks(now, 2 * TASKS_FRESH_MS);
    const counts = { occurrences: 0, due: 0, missed: 0, dispatched: 0, skipped: 0, waiting: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const made = await materialize({ db, recurrences, log }, now);
      const done = await dispatch(
        { db, recurrences, taskOf: (name) => tasks.get(name), settings, publish: publisher.add, fires },
        now,
        await events,
      );
      counts.occurrences += made.occurrences;
      counts.due += made.due;
      counts.missed += made.missed;
      counts.dispatched += done.dispatched;
      counts.skipped += done.skipped;
      counts.waiting = done.waiting;
      if (!made.more) break;
    }
    await refreshTasks(now, TASKS_FRESH_MS);
    if (counts.waiting > 0) waitingUntil = now + WAITING_FOR_MS;
    const wake = await nextWakeAt(db);
    const idle = counts.occurrences + counts.dispatched + counts.skipped === 0;
    const least = idle ? BUSY_POLL_MS : 0;
    const most = now < waitingUntil ? WAITING_POLL_MS : POLL_MS;
    // A timer may fire a millisecond early.
    const wakeIn = wake === undefined ? most : wake - (clock() + offset) + 1;
    const nextInMs = Math.min(most, wakeIn > 0 ? wakeIn : least);
    return { ...counts, nextInMs };
  };
}

/** The value if it comes in time. */
async function atMost<Value>(ms: number, value: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([value.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
