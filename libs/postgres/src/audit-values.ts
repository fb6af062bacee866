import { isDeepStrictEqual } from 'node:util';

/** Fields whose values are data of callers, or may be secrets: of these only that they have changed is kept. */
const HIDDEN: ReadonlySet<string> = new Set([
  ...['input', 'meta', 'result', 'webhook', 'secret', 'password', 'token', 'hash', 'headers', 'env'],
]);
/** Stands for a hidden value. */
const CHANGED = { changed: true } as const;

/** What was changed. */
export interface AuditValues {
  readonly before?: unknown;
  readonly after?: unknown;
}

/**
 * Leaves what is different: fields that are the same on both sides are not there, and of fields with data of callers or secrets
 * only that they have changed.
 */
export function auditValues({ before, after }: AuditValues): AuditValues {
  if (isFields(before) && isFields(after)) return differences(before, after);
  return { ...side('before', before), ...side('after', after) };
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
