import { escapePointer, type Issue, MAX_NESTING } from '@jetbeat/core';

/** Findings after which the search ends. */
const MAX_ISSUES = 8;
const TOO_LARGE = 'a number of this size cannot be kept: it would become null';

/**
 * What PostgreSQL cannot keep in `jsonb` though JSON can carry it: the character U+0000, half a surrogate pair
 * (PostgreSQL manual, "JSON Types"), and boundless nesting. And what JavaScript cannot: a number such as `1e999`.
 */
export function findUnstorable(root: unknown): Issue[] {
  const issues: Issue[] = [];
  const open: Place[] = [{ value: root, pointer: '', depth: 0 }];
  for (let place = open.pop(); place !== undefined && issues.length < MAX_ISSUES; place = open.pop()) {
    const issue = issueAt(place);
    if (issue) issues.push(issue);
    if (place.depth < MAX_NESTING) for (const inner of placesIn(place)) open.push(inner);
  }
  return issues;
}

function issueAt({ value, pointer, depth }: Place): Issue | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : badText(pointer);
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : { pointer, code: 'invalid_number', message: TOO_LARGE };
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth < MAX_NESTING) return Object.keys(value).every(isStorable) ? undefined : badText(pointer);
  // The pointer of a deep place is long and tells nobody anything.
  return {
    pointer: pointer.slice(0, 128),
    code: 'too_deep',
    message: `nested deeper than ${MAX_NESTING} levels`,
  };
}

interface Place {
  readonly value: unknown;
  readonly pointer: string;
  readonly depth: number;
}

/** What is inside and may be out of order: not what most of a long list is, plain numbers and booleans. */
function* placesIn({ value, pointer, depth }: Place): Iterable<Place> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (inner === null || typeof inner === 'boolean' || Number.isFinite(inner)) continue;
    yield { value: inner, pointer: `${pointer}/${escapePointer(key)}`, depth: depth + 1 };
  }
}

function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function badText(pointer: string): Issue {
  return {
    pointer,
    code: 'invalid_text',
    message: 'the character U+0000 and half surrogate pairs cannot be stored',
  };
}
