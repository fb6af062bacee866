import {
  type Callback,
  createRecurrence,
  defaultWindow,
  formatDuration,
  type Occurrence,
  type PolicyOverrides,
  type Rule,
  type Schedule,
  type ScheduledJob,
  type ScheduleSpec,
  timesBetween,
  type UniqueAsk,
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
    job: { ...placeJson(spec.job), ...policyJson(spec.job) },
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

/** What is run, and where. */
function placeJson({ task, input, queue, priority, meta, unique }: ScheduledJob) {
  return {
    task,
    input,
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(unique === undefined ? {} : { uniqueKey: uniqueJson(unique) }),
    ...(meta === undefined ? {} : { meta: { ...meta } }),
  };
}

/** What holds for it. */
function policyJson({ retry, timeout, expires, onSuccess, onFailure, concurrency }: PolicyOverrides) {
  return {
    ...(retry === undefined ? {} : { retry: retryJson(retry) }),
    ...(timeout === undefined ? {} : { timeout: timeoutJson(timeout) }),
    ...(expires === undefined ? {} : { expires: formatDuration(expires) }),
    ...(onSuccess === undefined ? {} : { onSuccess: callbacksJson(onSuccess) }),
    ...(onFailure === undefined ? {} : { onFailure: callbacksJson(onFailure) }),
    ...(concurrency === undefined
      ? {}
      : { concurrencyKey: concurrency.limit === 1 ? concurrency.key : concurrency }),
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
  const { delay, max, retryOn, noRetryOn, ...rest } = retry;
  return {
    ...rest,
    ...(delay === undefined ? {} : { delay: delayJson(delay) }),
    ...(max === undefined ? {} : { max: formatDuration(max) }),
    ...(retryOn === undefined ? {} : { retryOn: [...retryOn] }),
    ...(noRetryOn === undefined ? {} : { noRetryOn: [...noRetryOn] }),
  };
}

function delayJson(delay: number | readonly number[]) {
  return typeof delay === 'number' ? formatDuration(delay) : delay.map(formatDuration);
}

/** They are kept as they were written. */
function callbacksJson(callbacks: readonly Callback[]) {
  return [...callbacks] as NonNullable<Schedule['job']['onFailure']>;
}

function uniqueJson({ key, scope, mode, onConflict, forMs }: UniqueAsk) {
  if (forMs !== undefined) return { key, scope, for: formatDuration(forMs) };
  return { key, scope, while: mode === 'queued' ? mode : 'unfinished', onConflict } as const;
}

function timeoutJson(timeout: NonNullable<PolicyOverrides['timeout']>) {
  const { soft, hard } = timeout;
  return {
    ...(soft === undefined ? {} : { soft: formatDuration(soft) }),
    ...(hard === undefined ? {} : { hard: formatDuration(hard) }),
  };
}
