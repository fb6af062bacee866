import type { Recurrence } from '../when/recurrence.ts';
import { MAX_TIMES } from './catch-up.ts';
import { type PlannedTime, planStretch, type SchedulePause, type Stretch } from './plan-stretch.ts';
import type { ScheduleSpec } from './schedule.ts';

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
    times,
    cursor,
    runs,
    looked,
    superseded: rest,
    ...wake,
    resumed: paused?.until !== undefined && paused.until - 1 <= cursor,
  };
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
