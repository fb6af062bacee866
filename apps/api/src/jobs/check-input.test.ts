import { expect, test } from 'vitest';
import { createInputCheck } from './check-input.ts';

function create() {
  const warned: unknown[] = [];
  return { check: createInputCheck({ warn: (entry: object) => void warned.push(entry) }), warned };
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
