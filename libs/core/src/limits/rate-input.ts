import { parseDuration } from '../duration.ts';
import type { InvalidInputError, Issue } from '../errors.ts';
import { fieldsOf } from '../read-fields.ts';
import type { RateLimit } from './rate-limit.ts';

/** What the rate of a task is counted for: all its jobs together, or those of each concurrency key. */
export const TASK_RATE_SCOPES = ['task', 'key'] as const;
/** What the rate of a task is counted for. */
export type TaskRateScope = (typeof TASK_RATE_SCOPES)[number];

/** The rate of a task. */
export type TaskRate = RateLimit & { readonly per: TaskRateScope };

/** The same as people write it. */
export interface TaskRateInput {
  /** Jobs that begin in each `period`, over all workers. */
  readonly limit: number;
  /** A duration from `1s` to `1d`. */
  readonly period: string;
  /** Jobs that may begin at once after a pause; 1 where nothing is said. */
  readonly burst?: number | undefined;
  /** `task` where nothing is said. */
  readonly per?: TaskRateScope | undefined;
}

/** The shortest and the longest period of a rate, in milliseconds. */
export const RATE_PERIOD = { min: 1_000, max: 86_400_000 };
/** The most jobs of a period, or of a burst. */
export const MAX_RATE = 1_000_000;

const CELERY_RATE = /^([1-9]\d{0,5})(?:\/([smh]))?$/;

/** The rate that somebody probably meant who wrote it as Celery does, such as `100/m`, there a number alone is for each second. */
export function rateMeant(written: unknown): string | undefined {
  const [, limit, unit = 's'] =
    typeof written === 'string' || typeof written === 'number'
      ? (CELERY_RATE.exec(String(written)) ?? [])
      : [];
  return limit === undefined ? undefined : `{"limit": ${limit}, "period": "1${unit}"}`;
}

/** Reads the rate of a task; undefined where nothing is said, or what is wrong is named. */
export function readTaskRate(value: unknown, pointer: string, issues: Issue[]): TaskRate | undefined {
  if (value === undefined) return undefined;
  const suggestion = rateMeant(value);
  if (suggestion !== undefined) {
    const message = `a rate is an object: did you mean ${suggestion}?`;
    issues.push({ pointer, code: 'invalid_value', message, suggestion });
    return undefined;
  }
  const fields = fieldsOf(value, ['limit', 'period', 'burst', 'per'], pointer, issues);
  if (!fields) return undefined;
  const { limit, period, burst, per = 'task' } = fields;
  const found = issues.length;
  const wrong = (field: string, message: string) =>
    issues.push({ pointer: `${pointer}/${field}`, code: 'invalid_value', message: `${field} ${message}` });
  if (!isCount(limit)) wrong('limit', `is a whole number from 1 to ${MAX_RATE}`);
  if (burst !== undefined && !isCount(burst)) wrong('burst', `is a whole number from 1 to ${MAX_RATE}`);
  if (!TASK_RATE_SCOPES.includes(per as TaskRateScope))
    wrong('per', `is one of ${TASK_RATE_SCOPES.join(', ')}`);
  const periodMs = readPeriod(period, `${pointer}/period`, issues);
  if (issues.length > found || periodMs === undefined) return undefined;
  return {
    limit: limit as number,
    periodMs,
    ...(burst === undefined ? {} : { burst: burst as number }),
    per: per as TaskRateScope,
  };
}

function readPeriod(value: unknown, pointer: string, issues: Issue[]): number | undefined {
  try {
    const ms = parseDuration(typeof value === 'string' ? value : String(value), pointer);
    if (ms >= RATE_PERIOD.min && ms <= RATE_PERIOD.max) return ms;
    issues.push({ pointer, code: 'invalid_value', message: 'period is from 1s to 1d' });
  } catch (error) {
    // parseDuration throws nothing else.
    issues.push(...(error as InvalidInputError).issues);
  }
  return undefined;
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_RATE;
}
