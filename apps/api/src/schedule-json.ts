import {
  createRecurrence,
  defaultWindow,
  formatDuration,
  type Occurrence,
  type PolicyOverrides,
  type Rule,
  type Schedule,
  type ScheduleSpec,
  timesBetween,
} from '@jetbeat/core';
import type { OccurrenceRecord, ScheduleRecord } from '@jetbeat/postgres';
import { timeText } from './job-json.ts';

/** How many next times a schedule shows. */
const NEXT_TIMES = 5;

/** The first nominal time of a schedule after `after`; Unix milliseconds. */
export function nextTime(
  schedule: { definition: ScheduleSpec; createdAt: number },
  after: number,
): number | undefined {
  const { when, timeZone } = schedule.definition;
  return createRecurrence({ when, timeZone, anchor: schedule.createdAt }).next(after);
}

/** A schedule as the API shows it. */
export function scheduleJson(
  schedule: ScheduleRecord,
  now: number,
  last: OccurrenceRecord | undefined,
): Schedule {
  const spec = schedule.definition;
  const { paused } = schedule;
  const { task, input, queue, priority, meta, retry, timeout } = spec.job;
  const recurrence = createRecurrence({
    when: spec.when,
    timeZone: spec.timeZone,
    anchor: schedule.createdAt,
  });
  const next = timesBetween(recurrence, now, Number.MAX_SAFE_INTEGER, NEXT_TIMES);
  const [first = now, second = Number.POSITIVE_INFINITY] = next;
  const window = spec.catchUpWindow ?? defaultWindow(spec.catchUp, second - first);
  return {
    name: schedule.name,
    when: Array.isArray(spec.when) ? spec.when.map(ruleJson) : ruleJson(spec.when as Rule),
    timeZone: spec.timeZone,
    job: {
      task,
      input,
      ...(queue === undefined ? {} : { queue }),
      ...(priority === undefined ? {} : { priority }),
      ...(retry === undefined ? {} : { retry: retryJson(retry) }),
      ...(timeout === undefined ? {} : { timeout: timeoutJson(timeout) }),
      ...(meta === undefined ? {} : { meta: { ...meta } }),
    },
    overlap: spec.overlap,
    catchUp: typeof spec.catchUp === 'string' ? spec.catchUp : { all: spec.catchUp.all },
    catchUpWindow: formatDuration(window),
    paused: paused
      ? { by: paused.by, note: paused.note ?? null, since: timeText(paused.since), until: null }
      : null,
    nextTimes: paused ? [] : next.map(timeText),
    lastOccurrence: last ? occurrenceJson(last) : null,
  };
}

/** An occurrence as the API shows it. */
export function occurrenceJson(occurrence: OccurrenceRecord): Occurrence {
  const { nominalTime, origin, state, reason, jobId, latenessMs, count, to } = occurrence;
  return {
    nominalTime: timeText(nominalTime),
    origin,
    state,
    ...(reason === undefined ? {} : { reason: { code: reason.code, text: reason.text } }),
    ...(jobId === undefined ? {} : { jobId }),
    ...(latenessMs === undefined ? {} : { latenessMs }),
    ...(count > 1 ? { count } : {}),
    ...(to === undefined ? {} : { to: timeText(to) }),
  };
}

function ruleJson(rule: Rule) {
  if ('cron' in rule) return { cron: rule.cron };
  if ('at' in rule) return { at: timeText(rule.at) };
  const every = formatDuration(rule.every);
  return rule.from === undefined ? { every } : { every, from: timeText(rule.from) };
}

function retryJson(retry: NonNullable<PolicyOverrides['retry']>) {
  const { delay, max, ...rest } = retry;
  return {
    ...rest,
    ...(delay === undefined ? {} : { delay: formatDuration(delay) }),
    ...(max === undefined ? {} : { max: formatDuration(max) }),
  };
}

function timeoutJson(timeout: NonNullable<PolicyOverrides['timeout']>) {
  const { soft, hard } = timeout;
  return {
    ...(soft === undefined ? {} : { soft: formatDuration(soft) }),
    ...(hard === undefined ? {} : { hard: formatDuration(hard) }),
  };
}
