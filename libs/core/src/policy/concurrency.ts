import { createHash } from 'node:crypto';
import type { Issue } from '../errors.ts';
import { fieldsOf } from '../read-fields.ts';

/** At most `limit` jobs with this key run at once, over all workers and queues. */
export interface Concurrency {
  readonly key: string;
  readonly limit: number;
  /** Absent: its call said so. */
  readonly by?: 'task';
}

/** The same as people write it: a key alone means one job at a time. */
export type ConcurrencyKeyInput = string | { readonly key: string; readonly limit?: number | undefined };

/** The longest key, in characters. */
export const MAX_CONCURRENCY_KEY = 256;
/** The most jobs that may run for one key: they are listed in one small document. */
export const MAX_CONCURRENCY_LIMIT = 1_000;

/** Reads what one call says of its key; undefined where it says nothing, or what is wrong is named. */
export function readConcurrency(value: unknown, pointer: string, issues: Issue[]): Concurrency | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string') return isKey(value, pointer, issues) ? { key: value, limit: 1 } : undefined;
  const fields = fieldsOf(value, ['key', 'limit'], pointer, issues);
  if (!fields) return undefined;
  const { key, limit = 1 } = fields;
  const found = issues.length;
  if (!isLimit(limit)) {
    const message = `limit is a whole number from 1 to ${MAX_CONCURRENCY_LIMIT}`;
    issues.push({ pointer: `${pointer}/limit`, code: 'invalid_value', message });
  }
  return isKey(key, `${pointer}/key`, issues) && issues.length === found
    ? { key, limit: limit as number }
    : undefined;
}

/** Whether it is what `readConcurrency` makes; a message may come from anybody. */
export function isConcurrency(value: unknown): value is Concurrency {
  if (typeof value !== 'object' || value === null) return false;
  const { key, limit } = value as Partial<Concurrency>;
  return isKeyText(key) && isLimit(limit);
}

function isKey(value: unknown, pointer: string, issues: Issue[]): value is string {
  if (isKeyText(value)) return true;
  const message = `a concurrency key is a text of 1 to ${MAX_CONCURRENCY_KEY} characters`;
  issues.push({ pointer, code: 'invalid_value', message });
  return false;
}

/** PostgreSQL keeps no NUL, and half of a surrogate pair is no text. */
function isKeyText(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > MAX_CONCURRENCY_KEY) return false;
  return !value.includes('\0') && value.isWellFormed();
}

function isLimit(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_CONCURRENCY_LIMIT;
}

/** What stands for a key in subjects and names, which take no blanks, dots or long texts: 128 bits in base64url. */
export function concurrencyHash(key: string): string {
  return createHash('sha256').update(key).digest().subarray(0, 16).toString('base64url');
}
