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

test('of alternatives, every field is known, and two of them do not go together', () => {
  const [missing, unknown] = explain(Compile(Schema).Errors({ when: { rule: 'x' } }), Schema);
  expect(missing).toMatchObject({
    pointer: '/when',
    code: 'missing_field',
    message: 'one of cron, every is missing',
  });
  expect(unknown?.message).toBe('"rule" is not known here; known are cron, every, from');
  expect(explain(Compile(Schema).Errors({ when: { cron: 'x', every: '1s' } }), Schema)).toEqual([
    {
      pointer: '/when/every',
      code: 'invalid_value',
      message: 'does not go together with cron: keep one of them',
    },
  ]);
});

test('further fields that have a schema are no unknown ones', () => {
  const Open = Type.Object({ '100%': Type.Optional(Type.Number()) }, { additionalProperties: Type.String() });
  const found = explain(Compile(Open).Errors({ 'a/b': 1, '100%': 'x' }), Open);
  expect(found.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([
    '/a~1b invalid_type',
    '/100% invalid_type',
  ]);
});

test('a value of the wrong form is told the right one in words, where there are any', () => {
  const Form = Type.Object({ a: Type.String({ pattern: '^x$', description: 'One x.' }) });
  expect(explain(Compile(Form).Errors({ a: 'y' }), Form)).toMatchObject([
    { message: 'is not of this form: One x.' },
  ]);
  expect(explain(Compile(Form).Errors({ a: 1 }), Form)).toMatchObject([
    { message: 'must be string (One x.)' },
  ]);
});

test('names in pointers are escaped', () => {
  expect(issues({ when: { cron: 'x' }, 'a/b~': 1 })).toEqual(['/a~1b~0 unknown_field']);
});

test('a long unknown name is cut', () => {
  const [issue] = explain(Compile(Schema).Errors({ when: { cron: 'x' }, ['y'.repeat(10_000)]: 1 }), Schema);
  expect(issue?.message.length).toBeLessThan(200);
  expect(issue?.pointer.length).toBeLessThan(200);
});
