import { expect, test } from 'vitest';
import { InvalidInputError, JetbeatError, MalformedMessageError, toStoredError } from './errors.ts';

test('errors carry their own name, their code and their cause', () => {
  const cause = new Error('below');
  expect(new JetbeatError('some_code', 'text', { cause })).toMatchObject({
    name: 'JetbeatError',
    code: 'some_code',
    cause,
  });
  expect(new MalformedMessageError('text')).toMatchObject({
    name: 'MalformedMessageError',
    code: 'malformed_message',
  });
  const issues = [{ pointer: '/a', code: 'b', message: 'c' }];
  expect(new InvalidInputError('text', issues)).toMatchObject({ code: 'invalid_input', issues });
});

test('what was thrown is kept, whatever it was', () => {
  expect(toStoredError('just a text')).toEqual({ name: 'Error', message: 'just a text' });
  const error = Object.assign(new TypeError('no'), { code: 'E_NO' });
  expect(toStoredError(error)).toMatchObject({
    name: 'TypeError',
    message: 'no',
    code: 'E_NO',
    stack: expect.any(String),
  });
  const bare = new Error('x'.repeat(10_000));
  Reflect.deleteProperty(bare, 'stack');
  expect(toStoredError(bare)).toEqual({ name: 'Error', message: 'x'.repeat(4_096) });
  const long = Object.assign(new Error('y'), { stack: 'z'.repeat(100_000), code: 7 });
  expect(toStoredError(long)).toEqual({ name: 'Error', message: 'y', stack: 'z'.repeat(16_384) });
});
