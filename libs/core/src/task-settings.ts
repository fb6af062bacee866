import { type Concurrency, isConcurrency } from './concurrency.ts';
import { TASK_RATE_SCOPES, type TaskRate, type TaskRateScope } from './rate-input.ts';

/** The limits of one task over all workers. */
export interface TaskLimits {
  readonly rate?: TaskRate;
  /** Its key is a template (`keyFor`). */
  readonly concurrency?: Concurrency;
}

/** What was said at run time of one task, as every process is told it; what is absent holds as configured, or as the task says. */
export interface TaskSettings extends TaskLimits {
  /** Rises with every change, so that an older state never replaces a newer one. */
  readonly version: number;
}

/** As it is told: keys in one order, so that equal settings are equal texts. */
export function encodeTaskSettings({ version, rate, concurrency }: TaskSettings): string {
  return JSON.stringify({
    version,
    rate: rate && { limit: rate.limit, periodMs: rate.periodMs, burst: rate.burst, per: rate.per },
    concurrency: concurrency && { key: concurrency.key, limit: concurrency.limit },
  });
}

/** Reads what was told; undefined for what is none. Fields of a newer version are left alone. */
export function decodeTaskSettings(text: string): TaskSettings | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || !isCount(value.version, 0)) return undefined;
  const { rate, concurrency } = value;
  if (rate !== undefined && !isRate(rate)) return undefined;
  if (concurrency !== undefined && !isConcurrency(concurrency)) return undefined;
  return value as unknown as TaskSettings;
}

function isRate(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { limit, periodMs, burst, per } = value;
  return (
    isCount(limit, 1) &&
    isCount(periodMs, 1) &&
    (burst === undefined || isCount(burst, 1)) &&
    TASK_RATE_SCOPES.includes(per as TaskRateScope)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}
