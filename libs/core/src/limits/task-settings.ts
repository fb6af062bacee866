import { isToldRate, rateToTell, readTold } from '../jobs/read-told.ts';
import { type Concurrency, isConcurrency } from '../policy/concurrency.ts';
import { TASK_RATE_SCOPES, type TaskRate } from './rate-input.ts';

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
    rate: rate && rateToTell(rate),
    concurrency: concurrency && { key: concurrency.key, limit: concurrency.limit },
  });
}

/** Reads what was told; undefined for what is none. Fields of a newer version are left alone. */
export function decodeTaskSettings(text: string): TaskSettings | undefined {
  const told = readTold(text);
  if (!told) return undefined;
  const { rate, concurrency } = told;
  if (rate !== undefined && !isToldRate(rate, TASK_RATE_SCOPES)) return undefined;
  if (concurrency !== undefined && !isConcurrency(concurrency)) return undefined;
  return told as unknown as TaskSettings;
}
