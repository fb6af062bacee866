import { type Recurrence, timesBetween } from '@jetbeat/core';
import type { ScheduleRecord } from '@jetbeat/postgres';
import { timeText } from '../jobs/job-json.ts';
import { problemOf, recurrenceOf } from './schedule-json.ts';

/** How far back the last time before a moment is looked for, at first; milliseconds. */
const DAY = 86_400_000;
const LOOKS = [DAY, 32 * DAY, 400 * DAY] as const;
/** The most times that one look goes through. */
const MAX_LOOKED = 2_000;

/**
 * Why a schedule has no occurrence between two times, in words for a person.
 * @param range Unix milliseconds, both included
 */
export function explainNothing(
  schedule: ScheduleRecord,
  range: { from: number | undefined; to: number | undefined; now: number },
): string {
  const { createdAt } = schedule;
  const { from = createdAt, to = range.now, now } = range;
  if (from > to) return '"from" is after "to"';
  if (to < createdAt) return `the schedule was made later, at ${timeText(createdAt)}`;
  const problem = problemOf(schedule, now);
  if (problem !== undefined) return `the definition of the schedule cannot be read: ${problem}`;
  return byRule(schedule, recurrenceOf(schedule), { from, to, now });
}

function byRule(
  schedule: ScheduleRecord,
  recurrence: Recurrence,
  { from, to, now }: { from: number; to: number; now: number },
): string {
  const { finishedAt, version, updatedAt } = schedule;
  const time = recurrence.next(Math.max(from, schedule.createdAt) - 1);
  if (time !== undefined && time <= to) {
    if (time > now) return `its time ${timeText(time)} is still to come`;
    if (finishedAt !== undefined && time >= finishedAt)
      return `the schedule had no time left from ${timeText(finishedAt)} on`;
    return version > 1
      ? `by its rule as it is now there was a time at ${timeText(time)}, but the schedule was last changed at ${timeText(updatedAt)}, and no row stands for that time: it was not due then, or it is older than occurrences are kept`
      : `the row for ${timeText(time)} is not written yet, or it is older than occurrences are kept`;
  }
  const { timeZone } = schedule.definition;
  const jumped = recurrence.leftOut(from - 1, to);
  if (jumped !== undefined)
    return `the clock of ${timeZone} jumps over a time of its rule at ${timeText(jumped.at)}, and the schedule leaves such times out`;
  const before = lastBefore(recurrence, from);
  const after = recurrence.next(to);
  const sides = [
    ...(before === undefined ? [] : [`the last one before is ${local(before, timeZone)}`]),
    ...(after === undefined ? ['none comes after it'] : [`the first one after is ${local(after, timeZone)}`]),
  ];
  return `its rule has no time then: ${sides.join(', ')}`;
}

/** The last time before a moment, where it is not long ago. */
function lastBefore(recurrence: Recurrence, moment: number): number | undefined {
  for (const back of LOOKS) {
    const times = timesBetween(recurrence, moment - back, moment - 1, MAX_LOOKED);
    // One that fires so often fires shortly before too.
    if (times.length === MAX_LOOKED) return lastOf(recurrence, moment);
    const last = times.at(-1);
    if (last !== undefined) return last;
  }
  return undefined;
}

function lastOf(recurrence: Recurrence, moment: number): number | undefined {
  for (const back of [1_000, 60_000, 3_600_000]) {
    const last = timesBetween(recurrence, moment - back - 1, moment - 1, MAX_LOOKED * 2).at(-1);
    if (last !== undefined) return last;
  }
  return undefined;
}

function local(time: number, timeZone: string): string {
  if (timeZone === 'UTC') return timeText(time);
  const form = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return `${timeText(time)} (${form.format(time)} in ${timeZone})`;
}
