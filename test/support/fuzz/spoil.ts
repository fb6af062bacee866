import fc from 'fast-check';
import type { Schema } from './operation.ts';
import { STRANGE_TEXTS, strangeValue } from './strange.ts';

interface Edit {
  readonly at: number;
  readonly how: 'replace' | 'leave out' | 'add' | 'misspell' | 'wrap' | 'beyond';
  readonly value: unknown;
  readonly name: string;
}

/** A value that a schema takes, with something wrong in it: near enough to get deep into a program. */
export function spoilt(valid: fc.Arbitrary<unknown>, schema: Schema): fc.Arbitrary<unknown> {
  const beyond = [...beyondBounds(schema)];
  const edit: fc.Arbitrary<Edit> = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('replace', 'replace', 'leave out', 'add', 'misspell', 'wrap', 'beyond'),
    value: fc.oneof(strangeValue, fc.constantFrom<unknown>(...(beyond.length === 0 ? [null] : beyond))),
    name: fc.constantFrom('unknown', 'Task', 'input ', 'constructor', ...STRANGE_TEXTS.slice(0, 12)),
  });
  return fc
    .tuple(valid, fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([value, edits]) => edits.reduce(applied, structuredClone(value)));
}

/** What stands just outside of the bounds that a schema names anywhere. */
function* beyondBounds(schema: unknown): Iterable<unknown> {
  if (typeof schema !== 'object' || schema === null) return;
  const { minimum, maximum, minLength, maxLength } = schema as Schema;
  if (minimum !== undefined) yield minimum - 1;
  if (maximum !== undefined) yield maximum + 1;
  if (minLength !== undefined && minLength > 0) yield 'x'.repeat(minLength - 1);
  if (maxLength !== undefined && maxLength <= 10_000) yield 'x'.repeat(maxLength + 1);
  for (const inner of Object.values(schema)) yield* beyondBounds(inner);
}

function applied(root: unknown, { value: shared, ...edit }: Edit): unknown {
  // What is put in is changed by the next edit, and must not be in itself.
  const value = structuredClone(shared);
  const places = [...placesIn(root)];
  const place = places[edit.at % Math.max(1, places.length)];
  if (!place || edit.at % 17 === 0) return value;
  const { holder, key } = place;
  const inner = holder[key];
  switch (edit.how) {
    case 'leave out':
      delete holder[key];
      break;
    case 'add':
      define(typeof inner === 'object' && inner !== null ? inner : holder, edit.name, value);
      break;
    case 'misspell':
      delete holder[key];
      define(holder, `${key}s`, inner);
      break;
    case 'wrap':
      holder[key] = [inner];
      break;
    default:
      holder[key] = value;
  }
  return root;
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

function* placesIn(value: unknown): Iterable<Place> {
  if (typeof value !== 'object' || value === null) return;
  for (const key of Object.keys(value)) {
    const holder = value as Record<string, unknown>;
    yield { holder, key };
    yield* placesIn(holder[key]);
  }
}

/** Also for `__proto__`, as a key like any other. */
function define(holder: object, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
}
