import { createRecurrence, timesBetween } from '@jetbeat/core';
import type { Resumption, ScheduleRecord } from '@jetbeat/postgres';

/** The most nominal times that are counted for one pause: more than a day of every second. */
const MAX_COUNTED = 100_000;

/** What resuming a paused schedule at `now` (Unix milliseconds) comes to: where it goes on, and what it has passed by. */
export function resumption(schedule: ScheduleRecord, now: number): Resumption {
  const { when, timeZone } = schedule.definition;
  const recurrence = createRecurrence({ when, timeZone, anchor: schedule.createdAt });
  const times = timesBetween(recurrence, schedule.cursor, now, MAX_COUNTED);
  const nextAt = recurrence.next(now);
  const [from] = times;
  // The row ends with the pause even where its times were too many to be counted one by one.
  const to = times.length < MAX_COUNTED ? (times.at(-1) ?? now) : now;
  return {
    ...(nextAt === undefined ? {} : { nextAt }),
    ...(from === undefined ? {} : { passed: { from, to, count: times.length } }),
  };
}
