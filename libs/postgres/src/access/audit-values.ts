import { isDeepStrictEqual } from 'node:util';

/** Fields whose values are data of callers, or may be secrets: of these only that they have changed is kept. */
const HIDDEN: ReadonlySet<string> = new Set([
  ...['input', 'meta', 'result', 'webhook', 'secret', 'password', 'token', 'hash', 'headers', 'env'],
]);
/** Stands for a hidden value. */
const CHANGED = { changed: true } as const;

/** Of one side so much is kept, bytes of JSON: a page of changes is held in memory as a whole. */
const MAX_SIDE_BYTES = 16_384;

/** What was changed. */
export interface AuditValues {
  readonly before?: unknown;
  readonly after?: unknown;
}

/**
 * Leaves what is different: fields that are the same on both sides are not there, and of fields with data of callers or secrets
 * only that they have changed. So it is with the largest values of a side that has more than 16 KiB.
 */
export function auditValues({ before, after }: AuditValues): AuditValues {
  const values =
    isFields(before) && isFields(after)
      ? differences(before, after)
      : { ...side('before', before), ...side('after', after) };
  const kept = Object.entries(values).map(([name, value]) => [name, shrink(value, MAX_SIDE_BYTES)]);
  return Object.fromEntries(kept);
}

/** The same with its largest values left out, until it has no more bytes than these; itself, where that cannot be. */
function shrink(value: unknown, most: number): unknown {
  let size = bytesOf(value);
  if (size <= most) return value;
  if (!isFields(value)) return CHANGED;
  const sizes = Object.entries(value).map(([field, inner]) => ({ field, inner, size: bytesOf(inner) }));
  const kept = new Map(Object.entries(value));
  for (const { field, inner, size: own } of sizes.sort((a, b) => b.size - a.size)) {
    const small = shrink(inner, most - (size - own));
    kept.set(field, small);
    size += bytesOf(small) - own;
    if (size <= most) return Object.fromEntries(kept);
  }
  return CHANGED;
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}

function side(name: 'before' | 'after', value: unknown): AuditValues {
  return value === undefined || value === null ? {} : { [name]: hide(value) };
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function differences(before: Fields, after: Fields): AuditValues {
  const was: [string, unknown][] = [];
  const is: [string, unknown][] = [];
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const changed = difference(field, own(before, field), own(after, field));
    if (changed.before !== undefined) was.push([field, changed.before]);
    if (changed.after !== undefined) is.push([field, changed.after]);
  }
  return {
    ...(was.length === 0 ? {} : { before: Object.fromEntries(was) }),
    ...(is.length === 0 ? {} : { after: Object.fromEntries(is) }),
  };
}

function difference(field: string, old: unknown, now: unknown): AuditValues {
  if (isDeepStrictEqual(old, now)) return {};
  if (HIDDEN.has(field)) return { after: CHANGED };
  if (isFields(old) && isFields(now)) return differences(old, now);
  // What was taken away stands as null, so that it is seen.
  return { ...(old === undefined ? {} : { before: hide(old) }), after: now === undefined ? null : hide(now) };
}

function own(fields: Fields, field: string): unknown {
  return Object.hasOwn(fields, field) ? fields[field] : undefined;
}

function hide(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hide);
  if (!isFields(value)) return value;
  const shown = Object.entries(value).map(([field, inner]): [string, unknown] => [
    field,
    HIDDEN.has(field) ? CHANGED : hide(inner),
  ]);
  return Object.fromEntries(shown);
}
