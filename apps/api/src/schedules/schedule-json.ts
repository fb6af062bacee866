import {
  createRecurrence,
  DST_DEFAULTS,
  defaultWindow,
  definitionProblem,
  formatDuration,
  type Recurrence,
  SCHEDULE_DEFAULTS,
  type ScheduleSpec,
  timesBetween,
} from '@jetbeat/core';
import { type Schedule, SchedulePutSchema, type ScheduleRequest } from '@jetbeat/core/http';
import { isPaused, type ListedSchedule, type OccurrenceRecord, type ScheduleRecord } from '@jetbeat/postgres';
import { Compile } from 'typebox/compile';
import { timeText } from '../jobs/job-json.ts';
import { occurrenceJson } from './occurrence-json.ts';
import { scheduledJobJson } from './scheduled-job-json.ts';
import { whenJson } from './when-json.ts';

/** What every definition is that came through the API. */
const WRITTEN = Compile(SchedulePutSchema);
/** How many next times a schedule shows. */
const NEXT_TIMES = 5;

/** What of a schedule says when it fires. */
export type Timed = Pick<ScheduleRecord, 'definition' | 'createdAt'>;

/**
 * When a schedule fires by its own rule, however often it has run.
 * @throws InvalidInputError, RangeError for what cannot be read
 */
export function recurrenceOf({ definition, createdAt }: Timed): Recurrence {
  return createRecurrence({ ...definition, anchor: createdAt });
}

/** Why a schedule cannot be read, if so; what somebody has just written in plain SQL no scheduler has looked at yet. */
export function problemOf(
  { problem, definition }: Pick<ScheduleRecord, 'problem' | 'definition'>,
  now: number,
): string | undefined {
  return problem ?? definitionProblem(definition, now);
}

/** The first nominal time of a schedule after `after`; Unix milliseconds. */
export function nextTime(schedule: Timed, after: number): number | undefined {
  return recurrenceOf(schedule).next(after);
}

/** How many runs a schedule has left at most. */
export function runsLeft({ definition, runs }: Pick<ScheduleRecord, 'definition' | 'runs'>): number {
  const { maxRuns = Number.POSITIVE_INFINITY } = definition;
  return Math.max(0, maxRuns - runs);
}

/** A schedule as it is shown: of one that cannot be read there is no rule. */
type Shown = Omit<Filled, 'when'> & Pick<Schedule, 'when' | 'catchUpWindow'>;

/** A schedule as it is written, its defaults filled in. */
type Filled = ScheduleRequest & Pick<Schedule, 'timeZone' | 'dst' | 'overlap' | 'catchUp'>;

/** A schedule as it was written: what `PUT` makes the same definition of. */
export function writtenJson(spec: ScheduleSpec): ScheduleRequest {
  const { dst, ...written } = filledJson(spec);
  return spec.dst === undefined ? written : { ...written, dst };
}

function filledJson(spec: ScheduleSpec): Filled {
  const { name, job, catchUp, catchUpWindow, pauseAfterFailures, labels } = spec;
  return {
    name,
    ...whenJson({ ...spec, timeZone: spec.timeZone ?? SCHEDULE_DEFAULTS.timeZone }),
    job: scheduledJobJson(job),
    overlap: spec.overlap ?? SCHEDULE_DEFAULTS.overlap,
    catchUp: catchUpJson(catchUp ?? SCHEDULE_DEFAULTS.catchUp),
    ...(catchUpWindow === undefined ? {} : { catchUpWindow: formatDuration(catchUpWindow) }),
    ...(pauseAfterFailures === undefined ? {} : { pauseAfterFailures }),
    ...(labels === undefined ? {} : { labels: { ...labels } }),
  };
}

/** A schedule as the API shows it. */
export function scheduleJson(
  schedule: ScheduleRecord,
  now: number,
  last: OccurrenceRecord | undefined,
): Schedule {
  const { version, createdAt, updatedAt, finishedAt } = schedule;
  const paused = isPaused(schedule, now) ? schedule.paused : undefined;
  const read = readable(schedule, now);
  const nextTimes = read.problem === undefined && !paused ? read.nextTimes : [];
  return {
    ...read.written,
    version,
    state: stateOf({ problem: read.problem, finishedAt, paused }),
    problem: read.problem ?? null,
    finished: finishedAt === undefined ? null : timeText(finishedAt),
    paused: paused
      ? {
          by: paused.by,
          note: paused.note ?? null,
          since: timeText(paused.since),
          until: paused.until === undefined ? null : timeText(paused.until),
        }
      : null,
    nextTimes: nextTimes.map(timeText),
    lastOccurrence: last ? occurrenceJson(last) : null,
    createdAt: timeText(createdAt),
    updatedAt: timeText(updatedAt),
  };
}

/** A schedule as a list shows it. */
export function listedScheduleJson(
  { cut, ...schedule }: ListedSchedule,
  now: number,
  last: OccurrenceRecord | undefined,
): Schedule {
  const shown = scheduleJson(schedule, now, last);
  return cut.length === 0 ? shown : { ...shown, cut: [...cut] };
}

function stateOf(of: { problem: unknown; finishedAt: unknown; paused: unknown }): Schedule['state'] {
  if (of.problem !== undefined) return 'problem';
  if (of.finishedAt !== undefined) return 'finished';
  return of.paused ? 'paused' : 'active';
}

/** What is written of it, read; a definition that came from plain SQL may be anything. */
function readable(
  schedule: ScheduleRecord,
  now: number,
): { written: Shown; nextTimes: readonly number[]; problem?: string } {
  const { definition: spec, problem } = schedule;
  try {
    const recurrence = recurrenceOf(schedule);
    const next = timesBetween(recurrence, now, Number.MAX_SAFE_INTEGER, Math.max(2, NEXT_TIMES));
    const [first = now, second = Number.POSITIVE_INFINITY] = next;
    const { catchUp = SCHEDULE_DEFAULTS.catchUp } = spec;
    const window = spec.catchUpWindow ?? defaultWindow(catchUp, second - first);
    const written = { ...filledJson(spec), catchUpWindow: formatDuration(window) };
    if (!WRITTEN.Check(written)) throw new TypeError('it has fields that cannot be read');
    const nextTimes = next.slice(0, Math.min(NEXT_TIMES, runsLeft(schedule)));
    return { written, nextTimes, ...(problem === undefined ? {} : { problem }) };
  } catch (error) {
    const why = problem ?? (error instanceof Error ? error.message : String(error));
    return { written: unreadable(schedule), nextTimes: [], problem: why };
  }
}

/** What is shown of a definition that nobody can read. */
function unreadable({ name }: ScheduleRecord): Shown {
  const job = { task: '', input: null };
  return { name, when: null, dst: DST_DEFAULTS, job, ...SCHEDULE_DEFAULTS, catchUpWindow: formatDuration(0) };
}

function catchUpJson(catchUp: ScheduleSpec['catchUp']): Schedule['catchUp'] {
  if (typeof catchUp === 'string') return catchUp;
  const { all, spread } = catchUp;
  return spread === undefined ? { all } : { all, spread: formatDuration(spread) };
}
