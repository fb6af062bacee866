import {
  type Callback,
  formatDuration,
  type PolicyOverrides,
  type ScheduledJob,
  type UniqueAsk,
} from '@jetbeat/core';
import type { Schedule } from '@jetbeat/core/http';

/** The job of a schedule as it is written. */
export function scheduledJobJson(job: ScheduledJob): Schedule['job'] {
  return { ...placeJson(job), ...policyJson(job) };
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
