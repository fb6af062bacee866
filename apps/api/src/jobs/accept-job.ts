import {
  describeIssues,
  expiresOf,
  FIRST_POSITION,
  InvalidInputError,
  type Issue,
  type JobEnvelope,
  lastConcurrency,
  MAX_DURATION_MS,
  type PolicyOverrides,
  parseDuration,
  placeOf,
  policyOf,
  readPolicy,
  readUnique,
  refOf,
  type Settings,
  totalLimit,
  wrongExpiry,
} from '@jetbeat/core';
import type { JobRequest } from '@jetbeat/core/http';
import type { NewJob, TaskRecord } from '@jetbeat/postgres';
import { collect } from '../requests/collect.ts';
import { readTime } from '../requests/read-time.ts';

/**
 * Makes the job of one request: what the request leaves out comes from the configuration of the task, then from the task,
 * as far as it is known.
 * @throws InvalidInputError naming every wrong place
 */
export function acceptJob(params: {
  request: JobRequest;
  task: TaskRecord | undefined;
  settings: Settings;
  id: string;
  /** Unix milliseconds. */
  now: number;
  /** Absent: the job is a trace of its own. */
  traceparent: string | undefined;
}): NewJob {
  const { request, task, settings, id, now, traceparent } = params;
  const { retry, timeout, expires, meta, onSuccess, onFailure } = request;
  const found: Issue[] = [];
  const unique = readUnique(request, found);
  const concurrencyKey =
    unique?.mode === 'last' ? lastConcurrency(request.task, unique) : request.concurrencyKey;
  const { policy, issues } = readPolicy({ retry, timeout, onSuccess, onFailure, concurrencyKey });
  found.push(...issues);
  const runAt =
    (unique?.delayMs === undefined ? readRunAt(request, now, found) : now + unique.delayMs) ?? now;
  const stated = expires === undefined ? undefined : readExpiry(expires, runAt, found);
  if (found.length > 0) throw new InvalidInputError(describeIssues(found), found);
  const configured = settings.of(request.task);
  const expiresAt = stated ?? usualExpiry(runAt, expiresOf(configured, task?.policy));
  const envelope: JobEnvelope = {
    v: 1,
    id,
    task: request.task,
    ...placeOf(request, configured, task),
    input: request.input,
    ...(meta === undefined ? {} : { meta }),
    ...(Object.keys(policy).length === 0 ? {} : { policy }),
    createdAt: now,
    runAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(unique === undefined ? {} : { unique: refOf(unique) }),
    ...FIRST_POSITION,
  };
  return {
    envelope,
    traceparent,
    state: runAt > now ? 'scheduled' : 'queued',
    totalLimitMs: totalLimit(policyOf(policy, configured, task?.policy)),
    origin: 'api',
    unique,
  };
}

function usualExpiry(runAt: number, expires: PolicyOverrides['expires']): number | undefined {
  return expires === undefined ? undefined : runAt + expires;
}

/** When the job is to run: a time that is over means at once. Undefined where it is wrong. */
function readRunAt({ delay, runAt }: JobRequest, now: number, issues: Issue[]): number | undefined {
  if (delay !== undefined && runAt !== undefined) {
    const message = 'delay and runAt exclude each other: keep one';
    issues.push({ pointer: '/delay', code: 'invalid_value', message });
    return undefined;
  }
  const due = collect(issues, () => {
    if (delay !== undefined) return now + parseDuration(delay, '/delay');
    return runAt === undefined ? now : readTime(runAt, '/runAt');
  });
  if (due === undefined || due - now <= MAX_DURATION_MS) return due && Math.max(now, due);
  issues.push({
    pointer: '/runAt',
    code: 'invalid_value',
    message: 'a job may wait for ten years at most',
  });
  return undefined;
}

/** When it expires: a duration counts from its run time. */
function readExpiry(expires: string, runAt: number, issues: Issue[]): number | undefined {
  const isTime = expires.includes('T');
  const expiresAt = collect(issues, () =>
    isTime ? readTime(expires, '/expires') : runAt + parseDuration(expires, '/expires'),
  );
  const wrong = expiresAt === undefined ? undefined : wrongExpiry(expiresAt, runAt);
  if (wrong !== undefined) issues.push({ pointer: '/expires', code: 'invalid_value', message: wrong });
  return expiresAt;
}
