import type { Issue } from '../errors.ts';
import { unknownFields } from '../unknown-fields.ts';

/** Where a handler runs: in the worker itself, in a thread of it, or in a process of its own. */
export type IsolationKind = 'inline' | 'thread' | 'process';

/** Isolation as people write it. */
export type IsolationInput =
  | IsolationKind
  | { readonly kind: 'inline' | 'thread' }
  | {
      readonly kind: 'process';
      /** A child ends after so many jobs, 1 to 1,000,000; without it, never for that reason. */
      readonly maxJobs?: number;
      /** A child whose resident memory is above this after a job ends, e.g. `"400MiB"`; 64 MiB at least. */
      readonly maxMemory?: string;
    };

/** Isolation of a task whose handler does not run in the worker's own thread, read. */
export type Isolated =
  | { readonly kind: 'thread' }
  | {
      readonly kind: 'process';
      readonly maxJobs?: number;
      /** Bytes. */
      readonly maxMemory?: number;
    };

/** Isolation of a task, read. */
export type Isolation = { readonly kind: 'inline' } | Isolated;

/** What holds where nothing is said. */
export const INLINE: Isolation = { kind: 'inline' };

const KINDS: readonly unknown[] = ['inline', 'thread', 'process'] satisfies IsolationKind[];
const MAX_JOBS = 1_000_000;
const MIB = 1024 ** 2;
const LEAST_MEMORY = 64 * MIB;
const SIZE = /^(\d{1,9}(?:\.\d{1,3})?)(MiB|GiB)$/;

/** Reads what one layer says about isolation; every wrong place is added to `issues`, and then the answer is no good. */
export function readIsolation(value: unknown, pointer: string, issues: Issue[]): Isolation {
  const wrong = (at: string, message: string): Isolation => {
    issues.push({ pointer: at, code: 'invalid_value', message });
    return INLINE;
  };
  const kinds = 'is "inline", "thread" or "process", or an object with such a kind';
  if (typeof value === 'string') {
    return KINDS.includes(value) ? { kind: value as IsolationKind } : wrong(pointer, `isolation ${kinds}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return wrong(pointer, `isolation ${kinds}`);
  const { kind, maxJobs, maxMemory } = value as Record<string, unknown>;
  if (!KINDS.includes(kind)) return wrong(`${pointer}/kind`, 'kind is "inline", "thread" or "process"');
  const known = kind === 'process' ? ['kind', 'maxJobs', 'maxMemory'] : ['kind'];
  issues.push(...unknownFields(value, known, pointer));
  if (kind !== 'process') return { kind: kind as 'inline' | 'thread' };
  if (maxJobs !== undefined && !isCount(maxJobs))
    wrong(`${pointer}/maxJobs`, `maxJobs is a whole number from 1 to ${MAX_JOBS}`);
  const bytes = maxMemory === undefined ? undefined : bytesOf(maxMemory);
  if (maxMemory !== undefined && bytes === undefined)
    wrong(`${pointer}/maxMemory`, 'maxMemory is a size of 64MiB or more, such as "400MiB" or "1.5GiB"');
  return {
    kind: 'process',
    ...(maxJobs === undefined ? {} : { maxJobs: maxJobs as number }),
    ...(bytes === undefined ? {} : { maxMemory: bytes }),
  };
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_JOBS;
}

function bytesOf(value: unknown): number | undefined {
  const [, number, unit] = SIZE.exec(String(value)) ?? [];
  if (number === undefined) return undefined;
  const bytes = Math.round(Number(number) * (unit === 'GiB' ? 1024 * MIB : MIB));
  return bytes >= LEAST_MEMORY ? bytes : undefined;
}
