import { timesBetween } from '@jetbeat/core';
import { type Forecast, MAX_FORECAST } from '@jetbeat/core/http';
import type { FiringSchedule } from '@jetbeat/postgres';
import { timeText } from '../jobs/job-json.ts';
import { createTurns } from '../turns.ts';
import { recurrenceOf, runsLeft } from './schedule-json.ts';

interface Due {
  readonly time: number;
  readonly schedule: string;
  readonly task: string;
}

/** A look into the future ends after this, milliseconds. */
const MAX_MS = 2_000;

/**
 * What will be due in a time, by the schedules as they are now.
 * @param params.schedules those that fire in it, the one that is next first; `whole`: they are all there are
 * @param params.after,params.to Unix milliseconds
 */
export async function forecast(params: {
  schedules: readonly FiringSchedule[];
  whole: boolean;
  after: number;
  to: number;
}): Promise<Forecast> {
  const { schedules, whole, after, to } = params;
  const begun = performance.now();
  let found: Due[] = [];
  // Nothing is left out up to here.
  let until = whole ? to : (schedules.at(-1)?.nextAt ?? to) - 1;
  const others = createTurns();
  for (const schedule of schedules) {
    const { nextAt = after } = schedule;
    // The times are found in no order; those that come first are kept.
    if (nextAt > until) break;
    if (performance.now() - begun > MAX_MS) {
      until = Math.min(until, nextAt - 1);
      break;
    }
    const times = timesOf(schedule, after, until);
    found.push(...times);
    if (times.length > MAX_FORECAST) until = Math.min(until, (times[MAX_FORECAST]?.time ?? until) - 1);
    if (found.length > 4 * MAX_FORECAST) [found, until] = firstOf(found, until);
    await others();
  }
  [found, until] = firstOf(found, until);
  return {
    items: found.map(({ time, schedule, task }) => ({ nominalTime: timeText(time), schedule, task })),
    truncated: until < to,
    until: timeText(until),
  };
}

/** One more than there is room for tells that there are more. */
function timesOf(schedule: FiringSchedule, after: number, to: number): Due[] {
  const { name, definition, paused } = schedule;
  const from = paused?.until === undefined ? after : Math.max(after, paused.until - 1);
  const limit = Math.min(MAX_FORECAST + 1, runsLeft(schedule));
  try {
    const times = timesBetween(recurrenceOf(schedule), from, to, limit);
    return times.map((time) => ({ time, schedule: name, task: definition.job.task }));
  } catch {
    // What cannot be read does not fire.
    return [];
  }
}

/** The earliest ones; where there are more, all of the last instant are left out, so that it is clear up to where it is whole. */
function firstOf(found: readonly Due[], until: number): [Due[], number] {
  const sorted = found
    .filter(({ time }) => time <= until)
    .sort((a, b) => a.time - b.time || (a.schedule < b.schedule ? -1 : 1));
  const cut = sorted[MAX_FORECAST];
  if (!cut) return [sorted, until];
  const before = sorted.slice(0, MAX_FORECAST).filter(({ time }) => time < cut.time);
  // More at one instant than there is room for: some of them are better than none.
  return before.length > 0 ? [before, cut.time - 1] : [sorted.slice(0, MAX_FORECAST), cut.time];
}
