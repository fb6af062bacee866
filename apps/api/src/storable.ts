import { escapePointer, type Issue } from '@jetbeat/core';

/** How deep a value may be nested: what is deeper could not be written as JSON again by everyone who handles it. */
const MAX_DEPTH = 64;
/** Findings after which the search ends. */
const MAX_ISSUES = 8;

/**
 * What PostgreSQL cannot keep in `jsonb` though JSON can carry it: the character U+0000, half a surrogate pair
 * (PostgreSQL manual, "JSON Types"), and boundless nesting.
 */
export function findUnstorable(root: unknown): Issue[] {
  const issues: Issue[] = [];
  const open: Place[] = [{ value: root, pointer: '', depth: 0 }];
  for (let place = open.pop(); place !== undefined && issues.length < MAX_ISSUES; place = open.pop()) {
    const { value, pointer, depth } = place;
    if (typeof value === 'string') {
      if (!isStorable(value)) issues.push(badText(pointer));
      continue;
    }
    if (typeof value !== 'object' || value === null) continue;
    if (depth < MAX_DEPTH) {
      if (!Object.keys(value).every(isStorable)) issues.push(badText(pointer));
      for (const inner of placesIn(value, place)) open.push(inner);
      continue;
    }
    // The pointer of a deep place is long and tells nobody anything.
    issues.push({
      pointer: pointer.slice(0, 128),
      code: 'too_deep',
      message: `nested deeper than ${MAX_DEPTH} levels`,
    });
  }
  return issues;
}

interface Place {
  readonly value: unknown;
  readonly pointer: string;
  readonly depth: number;
}

function* placesIn(value: object, { pointer, depth }: Place): Iterable<Place> {
  for (const [key, inner] of Object.entries(value)) {
    // Numbers and booleans are always in order, and arrays of them are long.
    if (typeof inner !== 'string' && (typeof inner !== 'object' || inner === null)) continue;
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
