import type { SchedulePause, ScheduleSpec } from '@jetbeat/core';
import type { AskedRuns, QueueRecord, TaskLimitsRecord } from '@jetbeat/postgres';
import { taskLimitsJson } from '../fleet/task-json.ts';
import { timeText } from '../jobs/job-json.ts';
import { limitsJson } from '../queues/queue-json.ts';
import { writtenJson } from '../schedules/schedule-json.ts';

/** What of a schedule is kept of a change, in the words of the API; inputs and notes of jobs are left out later. */
export function shownSchedule(definition: ScheduleSpec): unknown {
  try {
    return writtenJson(definition);
  } catch {
    // What was written in plain SQL may be anything.
    return definition;
  }
}

/** The same of a pause. */
export function shownPause(paused: SchedulePause): unknown {
  const { by, note, since, until } = paused;
  return {
    paused: { by, note, since: timeText(since), until: until === undefined ? undefined : timeText(until) },
  };
}

/** The same of a trigger or a backfill. */
export function shownRuns({ origin, runs, overlap, input }: AskedRuns): unknown {
  const first = runs[0]?.nominalTime;
  const last = runs.at(-1)?.nominalTime;
  return {
    origin,
    overlap,
    count: runs.length,
    ...(first === undefined ? {} : { first: timeText(first) }),
    ...(last === undefined ? {} : { last: timeText(last) }),
    ...(input === undefined ? {} : { input: input.value }),
  };
}

/** The same of a queue. */
export function shownQueue({ version, own, paused, purge }: QueueRecord): unknown {
  return {
    version,
    ...limitsJson(own),
    paused: paused ? (shownPause(paused) as { paused: unknown }).paused : null,
    purge: purge ? { at: timeText(purge.at), upTo: purge.upTo, timers: purge.timers } : null,
  };
}

/** The same of what was said of a task. */
export function shownTask({ version, own }: TaskLimitsRecord): unknown {
  return { version, ...taskLimitsJson(own) };
}
