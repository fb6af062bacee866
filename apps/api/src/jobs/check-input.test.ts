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

const anyOf = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    type: 'object',
    properties: { k: { const: `v${at}` } },
    required: ['k'],
  }));

test.each([
  ['a list of words', { items: { enum: Array.from({ length: 6_000 }, (_, at) => `Z${at}`) } }, 'Z5999'],
  ['alternatives', { items: { anyOf: anyOf(200) } }, { k: 'v199' }],
])(
  'what is merely large and takes too long is accepted, for workers to check, and holds nobody up: %s',
  (_name, schema, one) => {
    const { check, warned } = create();
    const begun = process.threadCpuUsage();
    expect(check(task(schema), Array(100_000).fill(one), '/input')).toEqual([]);
    // It rests, and nobody is refused for it; what is small is checked as ever.
    expect(check(task(schema), Array(100_000).fill('no such'), '/input')).toEqual([]);
    expect(check(task(schema), [0], '/input')).toHaveLength(1);
    const { user, system } = process.threadCpuUsage(begun);
    // Without a limit more than ten seconds; a machine that gave it too little time lets it try for longer.
    expect((user + system) / 1_000).toBeLessThan(5_000);
    expect(warned).toHaveLength(1);
  },
);

test('after one that was too large, others of its task are checked but for those about as large', () => {
  const { check, warned, pass } = create();
  const schema = { items: { anyOf: anyOf(400) } };
  const large = (count: number) => check(task(schema), Array(count).fill({ k: 'v399' }), '/input');
  expect([large(100_000), warned.length]).toEqual([[], 1]);
  // More than is checked without a limit, which here may have too little of a processor.
  const smaller = () =>
    check(task(schema), [{ k: 'zz' }, { k: 'v1' }, ...Array(8).fill({ k: 'v2' })], '/input');
  let issues = smaller();
  for (let tries = 0; tries < 50 && issues.length === 0; tries++) {
    pass(600_000);
    issues = smaller();
  }
  expect(issues).toMatchObject([{ pointer: expect.stringMatching(/^\/input\/0/) }]);
});

test('one that is ended while a larger one is rested from makes the rest longer, for those as large as itself', () => {
  const { check, warned, pass } = create();
  const schema = { items: { anyOf: anyOf(400) } };
  const large = (count: number) => check(task(schema), Array(count).fill({ k: 'v399' }), '/input');
  for (const [count, seen] of [
    [100_000, 1],
    [60_000, 1],
    [40_000, 2],
    [25_000, 2],
  ] as const)
    expect([large(count), warned.length]).toEqual([[], seen]);
  pass(600_000);
  expect([large(40_000), warned.length]).toEqual([[], 3]);
});

test('what is large and of an ordinary schema is checked', () => {
  const { check, pass } = create();
  const schema = { items: { properties: { sku: { type: 'string', minLength: 1 }, n: { type: 'integer' } } } };
  const lines: object[] = [...Array(5_000).fill({ sku: 'abc-1', n: 1 }), { sku: 'abc-2', n: 'two' }];
  let issues: readonly object[] = [];
  for (let tries = 0; tries < 50 && issues.length === 0; tries++) {
    issues = check(task(schema), lines, '/input');
    pass(600_000);
  }
  expect(issues).toMatchObject([{ pointer: '/input/5000/n' }]);
});

/** Definitions, each of which asks the next one twice. */
function branching(name: string, depth: number): object {
  if (depth === 0) return { [name]: { type: 'number' } };
  const next = `${name}x`;
  const $ref = `#/$defs/${next}`;
  return { [name]: { anyOf: [{ $ref }, { $ref }] }, ...branching(next, depth - 1) };
}
