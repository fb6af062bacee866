import { expect, test } from 'vitest';
import { createInputCheck } from './check-input.ts';

function create() {
  const warned: unknown[] = [];
  let now = 0;
  const check = createInputCheck({ warn: (entry: object) => void warned.push(entry) }, () => now);
  const pass = (ms: number) => {
    now += ms;
  };
  /** As who comes again when this process was given too little time to find out. */
  const verdict: typeof check = (...asked) => {
    for (let tries = 1; ; tries++) {
      try {
        return check(...asked);
      } catch (error) {
        if (tries === 50) throw error;
        pass(600_000);
      }
    }
  };
  return { check, verdict, warned, pass };
}

const task = (inputSchema: unknown) => ({ name: 't', inputSchema });

test.each([
  [
    'draft-07 definitions',
    {
      $schema: 'http://json-schema.org/draft-07/schema#',
      definitions: { n: { type: 'number' } },
      $ref: '#/definitions/n',
    },
  ],
  [
    '2020-12 definitions',
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $defs: { n: { type: 'number' } },
      $ref: '#/$defs/n',
    },
  ],
])('%s', (_name, schema) => {
  const { check } = create();
  expect(check(task(schema), 1, '/input')).toEqual([]);
  expect(check(task(schema), 'x', '/input')).toMatchObject([{ pointer: '/input', code: 'invalid_type' }]);
});

test('an input that may be anything', () => {
  const { check } = create();
  for (const schema of [undefined, true, {}]) expect(check(task(schema), { x: 1 }, '/input')).toEqual([]);
});

test.each([
  ['no schema at all', 'text'],
  ['a pattern that is none', { type: 'string', pattern: '(' }],
  ['too large', { description: 'x'.repeat(300_000) }],
])('%s: left alone, with one warning', (_name, schema) => {
  const { check, warned } = create();
  for (let n = 0; n < 3; n++) expect(check(task(schema), 'x', '/input')).toEqual([]);
  expect(warned).toHaveLength(1);
});

/** Without a bound some seconds. */
const hostile = { s: `${'a'.repeat(28)}!` };

test.each([
  ['a pattern', { properties: { s: { type: 'string', pattern: '^(a+)+$' } } }],
  [
    'a pattern of names',
    { properties: { s: { patternProperties: { '^(a+)+$': true } } } },
    { s: { [hostile.s]: 1 } },
  ],
  [
    'references that come back',
    {
      $ref: '#/$defs/n',
      $defs: { n: { anyOf: [{ $ref: '#/$defs/m' }, { $ref: '#/$defs/m' }] }, ...branching('m', 22) },
    },
  ],
])(
  'what takes without end to be checked is refused, and holds nobody up: %s',
  (_name, schema, input: object = hostile) => {
    const { verdict, warned } = create();
    const issues = verdict(task(schema), input, '/input');
    expect(issues).toMatchObject([{ pointer: '/input', code: 'invalid_value' }]);
    expect(issues[0]?.message).toContain('within 101 ms');
    expect(warned).toHaveLength(1);
  },
);

test('a task whose input took too long rests for ten times as long; others and those without patterns do not', () => {
  const { check, verdict, pass } = create();
  const evil = task({ properties: { s: { type: 'string', pattern: '^(a+)+$' } } });
  expect(verdict(evil, hostile, '/input')).toHaveLength(1);
  const again = () => check(evil, { s: 'aa' }, '/input');
  expect(again).toThrow(expect.objectContaining({ code: 'overloaded', retryAfter: expect.any(Number) }));
  expect(verdict({ ...evil, name: 'other' }, { s: 'aa' }, '/input')).toEqual([]);
  expect(check(task({ type: 'object' }), {}, '/input')).toEqual([]);
  pass(900);
  expect(again).toThrow();
  pass(600_000);
  expect(verdict(evil, { s: 'aa' }, '/input')).toEqual([]);
});

/** Definitions, each of which asks the next one twice. */
function branching(name: string, depth: number): object {
  if (depth === 0) return { [name]: { type: 'number' } };
  const next = `${name}x`;
  const $ref = `#/$defs/${next}`;
  return { [name]: { anyOf: [{ $ref }, { $ref }] }, ...branching(next, depth - 1) };
}
