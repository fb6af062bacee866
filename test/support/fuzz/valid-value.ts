import fc from 'fast-check';
import type { Schema } from './operation.ts';

const MAX_ITEMS = 4;
const MAX_TEXT = 40;

/** Values that a schema takes, those at its bounds above all. */
export function validValue(schema: Schema): fc.Arbitrary<unknown> {
  const { examples = [] } = schema;
  const made = byForm(schema);
  if (examples.length === 0) return made;
  return fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...examples) }, { weight: 3, arbitrary: made });
}

function byForm(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const any = schema.anyOf ?? schema.oneOf;
  if (any) return fc.oneof(...any.map(validValue));
  const [type] = [schema.type].flat();
  switch (type) {
    case 'string':
      return text(schema);
    case 'integer':
      return numbers(schema, (range) => fc.integer(range));
    case 'number':
      return numbers(schema, (range) => fc.double({ ...range, noNaN: true, noDefaultInfinity: true }));
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array': {
      const { minItems: minLength = 0, maxItems = MAX_ITEMS, items = {} } = schema;
      return fc.array(validValue(items), {
        minLength,
        maxLength: Math.max(minLength, Math.min(maxItems, MAX_ITEMS)),
      });
    }
    case 'object':
      return object(schema);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function numbers(
  { minimum = -1_000, maximum = 1_000_000 }: Schema,
  range: (bounds: { min: number; max: number }) => fc.Arbitrary<number>,
): fc.Arbitrary<number> {
  return fc.oneof(fc.constantFrom(minimum, maximum), range({ min: minimum, max: maximum }));
}

function text({ pattern, minLength = 0, maxLength = MAX_TEXT }: Schema): fc.Arbitrary<string> {
  if (pattern === undefined) {
    const most = Math.max(minLength, Math.min(maxLength, MAX_TEXT));
    return fc.string({ unit: 'grapheme', minLength, maxLength: most });
  }
  // What only looks ahead cannot be made; what is made is checked by it.
  const whole = new RegExp(pattern);
  const made = fc.stringMatching(new RegExp(pattern.replace(/\(\?=[^)]*\)/g, '')), { size: '-1' });
  return made.filter((one) => whole.test(one));
}

function object({
  properties = {},
  required = [],
  patternProperties = {},
  ...rest
}: Schema): fc.Arbitrary<object> {
  const known = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, validValue(one)]));
  const fixed = fc.record(known, { requiredKeys: [...required] });
  const others: [string, Schema][] = Object.entries(patternProperties);
  if (typeof rest.additionalProperties === 'object') others.push(['^[a-z]{1,8}$', rest.additionalProperties]);
  const [open] = others;
  if (!open) return fixed;
  const [pattern, inner] = open;
  const free = fc.dictionary(text({ pattern }), validValue(inner), {
    minKeys: rest.minProperties ?? 0,
    maxKeys: Math.min(rest.maxProperties ?? MAX_ITEMS, MAX_ITEMS),
    noNullPrototype: true,
  });
  return fc.tuple(fixed, free).map(([one, two]) => ({ ...two, ...one }));
}
