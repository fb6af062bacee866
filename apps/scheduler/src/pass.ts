import type { SchedulerGap, Settings } from '@jetbeat/core';
import type { Publisher } from '@jetbeat/jetstream';
import {
  type Database,
  type databaseTime,
  type dispatchPass,
  listTasks,
  type materializePass,
  type NextWake,
  nextWake,
  noteBeat,
  noteHeld,
  type TaskRecord,
} from '@jetbeat/postgres';
import type { Log } from '@jetbeat/runtime';
import { readClock } from './clock-check.ts';
import { type DispatchCounts, dispatch, type EventsMarks } from './dispatch.ts';
import { materialize } from './materialize.ts';
import { createRecurrences } from './recurrences.ts';
import type { TraceFires } from './trace-fires.ts';

/** What a pass asks of PostgreSQL; a test may wrap it. */
export interface PassPorts {
  readonly databaseTime: typeof databaseTime;
  readonly materializePass: typeof materializePass;
  readonly dispatchPass: typeof dispatchPass;
}

/** What a pass needs. */
export interface PassParams {
  readonly db: Database;
  readonly ports: PassPorts;
  /** This replica. */
  readonly id: string;
  /** Where EVENTS stands now; rejects while NATS is away. */
  readonly eventsMarks: () => Promise<EventsMarks>;
  readonly publisher: Pick<Publisher, 'add'>;
  /** Tells the workers of jobs that are cancelled. */
  readonly cancel: (ids: readonly string[]) => void;
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

/** What another process changed (a new schedule, an edit, a resume) is seen after this at the latest, in milliseconds. */
export const POLL_MS = 500;
/** A wait for history is usually over in this, and is asked about so often. Milliseconds. */
const WAITING_FOR_MS = 2_000;
const WAITING_POLL_MS = 50;
/** Something waits for the end of a job, of which nobody tells. Milliseconds. */
const BUFFERED_POLL_MS = 100;
/** How often it is noted that there is a scheduler, in milliseconds. */
const BEAT_MS = 1_000;
/** Who noted it so lately can find no gap now, in milliseconds. */
const NO_GAP_MS = 4_000;
/** Another replica has what is due under its lock; do not spin on it. */
const BUSY_POLL_MS = 10;
/** The hot path waits no longer for what only overlapping schedules need. */
const EVENTS_WAIT_MS = 250;
const TASKS_FRESH_MS = 2_000;
/** Steps of planning and dispatching; after a long outage the next pass goes on, with the time that it is then. */
const ROUNDS = 8;

const NOTHING: Passed = {
  dispatched: 0,
  skipped: 0,
  buffered: 0,
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
  const { db, ports, id, publisher, cancel, hold, settings, fires, log, clock } = params;
  const { materializePass, dispatchPass } = ports;
  const recurrences = createRecurrences({ clock });
  let gaps: readonly SchedulerGap[] = [];
  let beatAt = Number.NEGATIVE_INFINITY;
  let tasks = new Map<string, TaskRecord>();
  let tasksReadAt = Number.NEGATIVE_INFINITY;
  let waitingUntil = 0;

  const refreshTasks = async (now: number, freshMs: number) => {
    if (now - tasksReadAt < freshMs) return;
    tasks = new Map((await listTasks(db)).map((task) => [task.name, task]));
    tasksReadAt = now;
  };

  const beat = async (now: number) => {
    if (Math.abs(now - beatAt) < BEAT_MS) return;
    gaps = await noteBeat(db, { id, now });
    beatAt = now;
  };

  const work = async (now: number, offset: number, wake: NextWake): Promise<Passed> => {
    const sleep = () => sleepFor(wake, { now: clock() + offset, waiting: now < waitingUntil });
    if ((wake.at ?? now + 1) > now && !wake.buffered && !wake.waiting) {
      await refreshTasks(now, TASKS_FRESH_MS);
      return { ...NOTHING, nextInMs: sleep() };
    }
    // Asked after the time was taken, so that these marks lie behind every due time of this pass.
    let events: EventsMarks | undefined;
    const asked = atMost(EVENTS_WAIT_MS, params.eventsMarks()).then((marks) => {
      events = marks;
    });
    // Else after the dispatch, which it would delay.
    await refreshTasks(now, 2 * TASKS_FRESH_MS);
    const counts = { occurrences: 0, due: 0, missed: 0, dispatched: 0, skipped: 0, buffered: 0, waiting: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const made = await materialize({ db, recurrences, materializePass, gaps, log }, now);
      // Runs that may overlap ask for no history. Who needs it unknown to us waits for the next pass.
      if (made.exclusive || wake.buffered || wake.waiting) await asked;
      const done = await dispatch(
        {
          ...{ db, recurrences, dispatchPass, settings, fires, cancel, log },
          taskOf: (name) => tasks.get(name),
          publish: publisher.add,
        },
        now,
        events,
      );
      counts.occurrences += made.occurrences;
      counts.due += made.due;
      counts.missed += made.missed;
      counts.dispatched += done.dispatched;
      counts.skipped += made.skipped + done.skipped;
      counts.buffered += done.buffered;
      counts.waiting = done.waiting;
      if (!made.more) break;
    }
    await refreshTasks(now, TASKS_FRESH_MS);
    if (counts.waiting > 0) waitingUntil = now + WAITING_FOR_MS;
    const { occurrences, dispatched, skipped, buffered } = counts;
    // When the next is due is asked by the next pass, which begins with that. So is what is left over.
    const nextInMs = occurrences + dispatched + skipped + buffered > 0 ? 0 : sleep();
    return { ...counts, nextInMs };
  };

  return async () => {
    const [{ now, offset }, wake] = await Promise.all([
      readClock({ databaseTime: () => ports.databaseTime(db), clock }),
      nextWake(db),
    ]);
    // Nothing is planned either: what comes due now is what the catch-up rules are for.
    if (hold() !== undefined) {
      await noteHeld(db, { id, now });
      return NOTHING;
    }
    // Before anything is planned where it may find a gap: that says why what is late is late. Else beside it.
    const first = Math.abs(now - beatAt) > NO_GAP_MS;
    const beating = beat(now);
    if (first) await beating;
    // One that fails is repeated by the next pass, in the end by one that waits for it.
    const beaten = beating.catch(() => undefined);
    try {
      return await work(now, offset, wake);
    } finally {
      await beaten;
    }
  };
}

/** How soon there is something to do, milliseconds. */
function sleepFor(wake: NextWake, { now, waiting }: { now: number; waiting: boolean }): number {
  const most = waiting ? WAITING_POLL_MS : wake.buffered ? BUFFERED_POLL_MS : POLL_MS;
  // A timer may fire a millisecond early.
  const wakeIn = wake.at === undefined ? most : wake.at - now + 1;
  return Math.min(most, wakeIn > 0 ? wakeIn : BUSY_POLL_MS);
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
