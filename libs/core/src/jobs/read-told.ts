import type { RateLimit, RateScope } from '../limits/rate-limit.ts';

/** Reads the JSON of settings that processes are told; undefined for what is none: it has a version in any case. */
export function readTold(text: string): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isObject(value) && isCount(value['version'], 0) ? value : undefined;
}

/** A rate as it is told: keys in one order, so that equal settings are equal texts. */
export function rateToTell({ limit, periodMs, burst, per }: RateLimit): object {
  return { limit, periodMs, burst, per };
}

/** Whether it is a rate that is counted for one of these. */
export function isToldRate(value: unknown, scopes: readonly RateScope[]): boolean {
  if (!isObject(value)) return false;
  const { limit, periodMs, burst, per } = value;
  return (
    isCount(limit, 1) &&
    isCount(periodMs, 1) &&
    (burst === undefined || isCount(burst, 1)) &&
    (per === undefined || scopes.includes(per as RateScope))
  );
}

/** Whether it is an object with fields. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether it is a whole number of at least `least`. */
export function isCount(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}
