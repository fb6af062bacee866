import Type from 'typebox';
import { expect, test } from 'vitest';
import type { ApiError } from '../problems/problem.ts';
import { validatorCompiler } from './validation.ts';

const Body = Type.Object({ task: Type.String(), input: Type.Unknown() }, { additionalProperties: false });
const check = validatorCompiler({ schema: Body, httpPart: 'body', method: 'POST', url: '/' });

function refused(value: unknown): ApiError {
  return (check(value) as { error: ApiError }).error;
}

test('very many unknown fields: the first of them are named', () => {
  const fields = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`f${index}`, 1]));
  const { issues, message } = refused({ task: 'a', input: 1, ...fields });
  expect(issues[0]).toMatchObject({ pointer: '/f0', code: 'unknown_field' });
  expect(issues.length).toBeLessThan(100);
  expect(message).toContain('"f0" is not known here');
});

test('a number that would become null is refused, where it stands', () => {
  const { issues } = refused(JSON.parse('{"task":"a","input":{"b":[1,1e999,-1e999,2.5]}}'));
  expect(issues.map(({ pointer, code }) => `${pointer} ${code}`).sort()).toEqual([
    '/input/b/1 invalid_number',
    '/input/b/2 invalid_number',
  ]);
});

test('what is no object at all is said of the body', () => {
  expect(refused(null).message).toBe('the body must be object');
});
