import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { System } from 'typebox/system';
import { beforeAll, expect, test } from 'vitest';
import { explain } from './explain.ts';

beforeAll(() => System.Settings.Set({ maxErrors: 64 }));

const CLOSED = { additionalProperties: false };
const Rule = Type.Union([
  Type.Object({ cron: Type.String() }, CLOSED),
  Type.Object({ every: Type.String(), from: Type.Optional(Type.String()) }, CLOSED),
]);
const Schema = Type.Object({ when: Type.Union([Rule, Type.Array(Rule)]) }, CLOSED);

function issues(value: unknown) {
  return explain(Compile(Schema).Errors(value), Schema).map(({ pointer, code }) => `${pointer} ${code}`);
}

test('of alternatives, the one that was meant speaks', () => {
  expect(issues({ when: { every: 1 } })).toEqual(['/when/every invalid_type']);
  expect(issues({ when: { every: '1s', form: 'x' } })).toEqual(['/when/form unknown_field']);
  expect(issues({ when: [{ cron: 'x' }, { cron: 1 }] })).toEqual(['/when/1/cron invalid_type']);
  expect(issues({ when: 3 })).toEqual(['/when invalid_type']);
});

test('names in pointers are escaped', () => {
  expect(issues({ when: { cron: 'x' }, 'a/b~': 1 })).toEqual(['/a~1b~0 unknown_field']);
});

test('a long unknown name is cut', () => {
  const [issue] = explain(Compile(Schema).Errors({ when: { cron: 'x' }, ['y'.repeat(10_000)]: 1 }), Schema);
  expect(issue?.message.length).toBeLessThan(200);
  expect(issue?.pointer.length).toBeLessThan(200);
});
