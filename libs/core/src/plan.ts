import { caughtUpReason, decideCatchUp, MAX_TIMES, type MissedRun } from './catch-up.ts';
import type { Reason } from './outcome.ts';
import type { ScheduleSpec } from './schedule.ts';
import { jitterOf } from './when/jitter.ts';
import { type Recurrence, timesBetween } from './when/recurrence.ts';

/** Why and how long a schedule is paused. Times in Unix milliseconds. */
export interface SchedulePause {
  readonly by: string;
  readonly note?: string;
  readonly since: number;
  /** When it goes on by itself. */
  readonly until?: number;
}

/** A definition that holds no more, and until when it did; Unix milliseconds. */
export interface SupersededDefinition {
  readonly definition: ScheduleSpec;
  readonly until: number;
}

/** What planning takes of a schedule. Times in Unix milliseconds. */
export interface PlannableSchedule {
  readonly id: string;
  readonly definition: ScheduleSpec;
  /** Everything up to here is planned. */
  readonly cursor: number;
  /** How many times of its rule have come due. */
  readonly runs: number;
  readonly paused?: SchedulePause;
  /** What held before and is not planned to its end yet, oldest first. */
  readonly superseded?: readonly SupersededDefinition[];
}

/** What is to be written for one nominal time, or for a row of equal ones. Times in Unix milliseconds. */
export interface PlannedTime {
  readonly nominalTime: number;
  readonly state: 'due' | 'missed' | 'skipped';
  readonly reason?: Reason;
  /** Nominal times folded into this row, default 1; `to` is the last of them. */
  readonly count?: number;
  readonly to?: number;
  /** When it is to be dispatched, where that is not its nominal time. */
  readonly dispatchAt?: number;
}

/** What has come of planning a schedule. */
export interface SchedulePlan {
  readonly times: readonly PlannedTime[];
  readonly cursor: number;
  /** When it is to be planned again; absent: never. Unix milliseconds. */
  readonly nextAt?: number;
  readonly runs: number;
  /** Superseded definitions that are still to be planned. */
  readonly superseded: readonly SupersededDefinition[];
  /** Its pause is over. */
  readonly resumed: boolean;
  /** Nominal times that were looked at. */
  readonly looked: number;
  /** Why it is not known when it fires next; then `nextAt` is when that is looked for again. */
  readonly problem?: string;
}

/** What is excluded is looked at again after this, at the latest: a zone may have changed its rules. Milliseconds. */
const AGAIN_MS = 86_400_000;

/** What somebody edits in a loop while nobody plans is planned in steps. */
const MAX_STRETCHES = 100;

/** One part of the time that is planned: one definition, paused or not. */
interface Stretch {
  readonly definition: ScheduleSpec;
  readonly upTo: number;
  readonly pause: SchedulePause | undefined;
}

/**
 * Plans a schedule up to `now`: what was edited or paused meanwhile holds from its time on, not for what came before. At most
 * `MAX_TIMES` nominal times of one stretch are looked at, and no further stretch after so many, or after a hundred of them; then
 * `nextAt` is not after `now`, and planning goes on from `cursor`.
 * @param params.recurrenceOf throws where a definition cannot be read: one that is superseded is then passed over
 * @param params.awayAt why nobody was there to fire a time, where that is known
 * @throws what `recurrenceOf` throws for the definition that holds now
 */
export function planSchedule(params: {
  readonly schedule: PlannableSchedule;
  readonly recurrenceOf: (definition: ScheduleSpec) => Recurrence;
  readonly now: number;
  readonly awayAt: (time: number) => string | undefined;
}): SchedulePlan {
  const { schedule, recurrenceOf, now } = params;
  const times: PlannedTime[] = [];
  let { cursor, runs } = schedule;
  let looked = 0;
  let more = false;
  for (let stretches = 0; cursor < now && !more; stretches++) {
    if (stretches === MAX_STRETCHES || looked >= MAX_TIMES) {
      more = true;
      break;
    }
    const stretch = stretchAt(schedule, cursor, now);
    const recurrence = read(recurrenceOf, stretch.definition, schedule.definition);
    const left = (stretch.definition.maxRuns ?? Number.POSITIVE_INFINITY) - runs;
    if (recurrence === undefined || left <= 0) {
      cursor = stretch.upTo;
      continue;
    }
    const planned = planStretch({ ...params, stretch, recurrence, cursor, left });
    times.push(...planned.times);
    runs += planned.due;
    looked += planned.looked;
    ({ cursor, more } = planned);
  }
  const { definition, superseded = [], paused } = schedule;
  const rest = superseded.filter(({ until }) => until > cursor);
  const wake = more ? { nextAt: cursor } : wakeAfter({ definition, rest, recurrenceOf, cursor, runs });
  return {
    ...{ times, cursor, runs, looked, superseded: rest },
    ...wake,
    resumed: paused?.until !== undefined && paused.until - 1 <= cursor,
  };
}

/** How long after `time` it fires again, in milliseconds. */
export function periodAfter(recurrence: Recurrence, time: number): number {
  return (recurrence.next(time) ?? Number.POSITIVE_INFINITY) - time;
}

function stretchAt(schedule: PlannableSchedule, cursor: number, now: number): Stretch {
  const { definition, superseded = [], paused } = schedule;
  const old = superseded.find(({ until }) => until > cursor);
  const ends = [now, old?.until];
  const { since = Number.POSITIVE_INFINITY, until = Number.POSITIVE_INFINITY } = paused ?? {};
  // What is due at the very end of a pause runs.
  const isPaused = since <= cursor && cursor < until - 1;
  if (isPaused) ends.push(until - 1);
  else if (cursor < since) ends.push(since);
  return {
    definition: old?.definition ?? definition,
    upTo: Math.min(...ends.map((end) => end ?? Number.POSITIVE_INFINITY)),
    pause: isPaused ? paused : undefined,
  };
}

function read(
  recurrenceOf: (definition: ScheduleSpec) => Recurrence,
  definition: ScheduleSpec,
  present: ScheduleSpec,
): Recurrence | undefined {
  if (definition === present) return recurrenceOf(definition);
  try {
    return recurrenceOf(definition);
  } catch {
    // It has never fired.
    return undefined;
  }
}

function planStretch(params: {
  readonly schedule: PlannableSchedule;
  readonly stretch: Stretch;
  readonly recurrence: Recurrence;
  readonly now: number;
  readonly cursor: number;
  /** Times that may still come due. */
  readonly left: number;
  readonly awayAt: (time: number) => string | undefined;
}): { times: PlannedTime[]; due: number; looked: number; cursor: number; more: boolean } {
  const { schedule, recurrence, now, cursor, left, awayAt } = params;
  const { definition, pause } = params.stretch;
  const times = timesBetween(recurrence, cursor, params.stretch.upTo, MAX_TIMES);
  const complete = times.length < MAX_TIMES;
  // A search that was given up says nothing of what comes behind that.
  const known = complete ? recurrence.gaveUp(times.at(-1) ?? cursor) : undefined;
  const upTo = Math.min(params.stretch.upTo, known ?? Number.POSITIVE_INFINITY);
  const isCut = upTo < params.stretch.upTo;
  const looked = times.length;
  const last = times.at(-1) ?? upTo;
  if (pause) {
    const [from] = times;
    const passed = from === undefined ? [] : [{ from, to: last, count: looked, reason: pausedReason(pause) }];
    const skipped = passed.map((run) => rowOf(run, 'skipped'));
    return { times: skipped, due: 0, looked, cursor: complete ? upTo : last, more: isCut || !complete };
  }
  const decision = decideCatchUp({
    ...{ times, complete, now, cursor, upTo, catchUp: definition.catchUp, window: definition.catchUpWindow },
    period: periodAfter(recurrence, last),
    awayAt,
  });
  const { caughtUp } = decision;
  const due = decision.due.slice(0, left);
  const rows = due.map((nominalTime, index): PlannedTime => {
    const late = index < caughtUp;
    const dispatchAt = dispatchTime({
      id: schedule.id,
      definition,
      recurrence,
      nominalTime,
      late,
      index,
      now,
    });
    return {
      ...{ nominalTime, state: 'due' },
      ...(late ? { reason: caughtUpReason(awayAt(nominalTime)) } : {}),
      ...(dispatchAt === nominalTime ? {} : { dispatchAt }),
    };
  });
  return {
    times: [...decision.missed.map((run) => rowOf(run, 'missed')), ...rows],
    due: due.length,
    looked,
    cursor: decision.cursor,
    // What is over has nothing more to decide.
    more: (isCut || decision.more) && due.length < left,
  };
}

function rowOf({ from, to, count, reason }: MissedRun, state: 'missed' | 'skipped'): PlannedTime {
  return { nominalTime: from, state, reason, ...(count > 1 ? { count, to } : {}) };
}

function dispatchTime(params: {
  readonly id: string;
  readonly definition: ScheduleSpec;
  readonly recurrence: Recurrence;
  readonly nominalTime: number;
  readonly late: boolean;
  readonly index: number;
  readonly now: number;
}): number {
  const { id, definition, recurrence, nominalTime, late, index, now } = params;
  const { catchUp, jitter } = definition;
  const spread = typeof catchUp === 'object' ? catchUp.spread : undefined;
  if (late) return spread === undefined ? nominalTime : now + index * spread;
  if (jitter === undefined) return nominalTime;
  const next = recurrence.next(nominalTime);
  return nominalTime + jitterOf({ scheduleId: id, nominalTime, jitter, next });
}

/** When there is something to plan again. */
function wakeAfter(params: {
  readonly definition: ScheduleSpec;
  readonly rest: readonly SupersededDefinition[];
  readonly recurrenceOf: (definition: ScheduleSpec) => Recurrence;
  readonly cursor: number;
  readonly runs: number;
}): Pick<SchedulePlan, 'nextAt' | 'problem'> {
  const { definition, rest, recurrenceOf, cursor, runs } = params;
  const [old] = rest;
  const holds = old?.definition ?? definition;
  const isOver = holds.maxRuns !== undefined && runs >= holds.maxRuns;
  const recurrence = isOver ? undefined : read(recurrenceOf, holds, definition);
  const next = recurrence?.next(cursor);
  if (old) return { nextAt: Math.min(next ?? Number.POSITIVE_INFINITY, old.until) };
  if (next !== undefined) return { nextAt: next };
  const upTo = recurrence?.gaveUp(cursor);
  if (upTo === undefined) return {};
  const until = new Date(upTo).toISOString();
  const problem = `/exclude: all its times up to ${until} are left out, and what comes then is not known yet; leave out less, or end it`;
  return { nextAt: Math.min(upTo, cursor + AGAIN_MS), problem };
}

/** Why a time was passed by that fell into a pause. */
export function pausedReason({ by, note }: Pick<SchedulePause, 'by' | 'note'>): Reason {
  return { code: 'paused', text: note === undefined ? `paused by ${by}` : `paused by ${by}: ${note}` };
}
