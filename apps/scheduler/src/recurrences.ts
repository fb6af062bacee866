import {
  createRecurrence,
  definitionProblem,
  JetbeatError,
  type Recurrence,
  type ScheduleSpec,
} from '@jetbeat/core';
import type { ScheduleRecord } from '@jetbeat/postgres';

/** What is stored of a schedule makes no sense: somebody wrote it in plain SQL, or it is of a newer version. Code `unreadable_schedule`. */
export class UnreadableScheduleError extends JetbeatError {
  constructor(problem: string, options?: { cause?: unknown }) {
    super('unreadable_schedule', problem, options);
  }
}

/** The recurrences of the schedules that fired last, read once per version of a schedule. */
export interface Recurrences {
  /**
   * @param definition one that held before, which is read each time; absent: the one that holds
   * @throws UnreadableScheduleError e.g. for a zone that this runtime does not know
   */
  of(schedule: ScheduleRecord, definition?: ScheduleSpec): Recurrence;
}

type Entry = { version: number } & (
  | { recurrence: Recurrence }
  | { error: UnreadableScheduleError; at: number }
);

/** One that cannot be read is looked at again after this, in milliseconds: what is wrong may be this machine's zone data. */
const AGAIN_MS = 30_000;

/** Makes the cache; the one that was not used for longest goes first. @param params.clock Unix milliseconds */
export function createRecurrences({
  limit = 10_000,
  clock = Date.now,
}: {
  readonly limit?: number;
  readonly clock?: () => number;
} = {}): Recurrences {
  const known = new Map<string, Entry>();
  return {
    of(schedule, definition = schedule.definition) {
      const { id, version } = schedule;
      if (definition !== schedule.definition) return read(schedule, definition, clock());
      const found = known.get(id);
      known.delete(id);
      const fresh = found?.version === version && !('error' in found && clock() - found.at > AGAIN_MS);
      const entry = fresh ? found : { version, ...tryRead(schedule, clock()) };
      known.set(id, entry);
      const [oldest] = known.keys();
      if (known.size > limit && oldest !== undefined) known.delete(oldest);
      if ('error' in entry) throw entry.error;
      return entry.recurrence;
    },
  };
}

function tryRead(schedule: ScheduleRecord, now: number) {
  try {
    return { recurrence: read(schedule, schedule.definition, now) };
  } catch (error) {
    if (error instanceof UnreadableScheduleError) return { error, at: now };
    throw error;
  }
}

function read({ createdAt }: ScheduleRecord, definition: ScheduleSpec, now: number): Recurrence {
  const problem = definitionProblem(definition, now);
  if (problem !== undefined) throw new UnreadableScheduleError(problem);
  try {
    // Without the job, whose input may be large: it is kept for as long as the schedule fires.
    const { when, exclude, timeZone, dst, startAt, endAt, maxRuns } = definition;
    return createRecurrence({
      when,
      timeZone,
      anchor: createdAt,
      ...(exclude === undefined ? {} : { exclude }),
      ...(dst === undefined ? {} : { dst }),
      ...(startAt === undefined ? {} : { startAt }),
      ...(endAt === undefined ? {} : { endAt }),
      ...(maxRuns === undefined ? {} : { maxRuns }),
    });
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new UnreadableScheduleError(text, { cause });
  }
}
