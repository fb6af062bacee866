import type { SchedulerGap, Settings } from '@jetbeat/core';
import type { Publisher } from '@jetbeat/jetstream';
import {
  type Database,
  type dispatchPass,
  type Look,
  listTasks,
  type look,
  MAX_PASS_BYTES,
  type materializePass,
  type NewJob,
  noteBeat,
  noteHeld,
  type TaskRecord,
  wakeAt,
} from '@jetbeat/postgres';
import type { Log } from '@jetbeat/runtime';
import { readClock } from './clock-check.ts';
import type { DecideParams } from './decide.ts';
import type { EventsMarks } from './dispatch.ts';
import { createRecurrences } from './recurrences.ts';
import { MIN_ROOM, type RoundCounts, workRounds } from './rounds.ts';
import type { TraceFires } from './trace-fires.ts';

/** What a pass asks of PostgreSQL; a test may wrap it. */
export interface PassPorts {
  readonly look: typeof look;
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
  readonly publisher: Pick<Publisher, 'add' | 'waitingBytes'>;
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
export interface Passed extends RoundCounts {
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
  const recurrences = createRecurrences({ clock });
  const deciding: DecideParams = { recurrences, settings, fires, log, taskOf: (name) => tasks.get(name) };
  let gaps: readonly SchedulerGap[] = [];
  let beatAt = Number.NEGATIVE_INFINITY;
  let tasks = new Map<string, TaskRecord>();
  let tasksReadAt = Number.NEGATIVE_INFINITY;
  let waitingUntil = 0;

  const room = () => MAX_PASS_BYTES - publisher.waitingBytes;

  const publish = (jobs: readonly NewJob[]) => {
    if (jobs.length === 0) return;
    fires?.committed(jobs);
    publisher.add(jobs);
  };

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

  const work = async (seen: Look, offset: number): Promise<Passed> => {
    const { now, buffered, waiting } = seen;
    const sleep = () => sleepFor(seen, { now: clock() + offset, waiting: now < waitingUntil });
    if ((wakeAt(seen) ?? now + 1) > now && !buffered && !waiting) {
      await refreshTasks(now, TASKS_FRESH_MS);
      return { ...NOTHING, nextInMs: sleep() };
    }
    // What was taken up is published first: it may be large.
    if (room() < MIN_ROOM) return { ...NOTHING, nextInMs: BUSY_POLL_MS };
    const events = lazily(() => atMost(EVENTS_WAIT_MS, params.eventsMarks()));
    // A wait for history, and for what goes on then, begins with that.
    if (buffered || waiting) void events();
    // Else after the dispatch, which it would delay.
    await refreshTasks(now, 2 * TASKS_FRESH_MS);
    const counts = await workRounds({ ...deciding, ...ports, db, gaps, events, cancel, publish, room }, seen);
    await refreshTasks(now, TASKS_FRESH_MS);
    if (counts.waiting > 0) waitingUntil = now + WAITING_FOR_MS;
    const done = counts.occurrences + counts.dispatched + counts.skipped + counts.buffered;
    // When the next is due is asked by the next pass, which begins with that. So is what is left over.
    return { ...counts, nextInMs: done > 0 ? 0 : sleep() };
  };

  return async () => {
    const { seen, offset } = await readClock({ look: () => ports.look(db), clock });
    const { now } = seen;
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
      return await work(seen, offset);
    } finally {
      await beaten;
    }
  };
}

/** How soon there is something to do, milliseconds. */
function sleepFor(seen: Look, { now, waiting }: { now: number; waiting: boolean }): number {
  const most = waiting ? WAITING_POLL_MS : seen.buffered ? BUFFERED_POLL_MS : POLL_MS;
  const wake = wakeAt(seen);
  // A timer may fire a millisecond early.
  const wakeIn = wake === undefined ? most : wake - now + 1;
  return Math.min(most, wakeIn > 0 ? wakeIn : BUSY_POLL_MS);
}

/** Asks once, and only when somebody needs the answer. */
function lazily<Value>(ask: () => Promise<Value>): () => Promise<Value> {
  let asked: Promise<Value> | undefined;
  return () => {
    asked ??= ask();
    return asked;
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
