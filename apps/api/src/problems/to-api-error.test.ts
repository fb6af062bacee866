import { InvalidInputError } from '@jetbeat/core';
import { BusClosedError, QueuesUnmadeError, ServerUnfitError } from '@jetbeat/jetstream';
import {
  DatabaseUnavailableError,
  SearchRefusedError,
  TooManyEditsError,
  TooManyQueuesError,
} from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { ApiError } from './problem.ts';
import { toApiError } from './to-api-error.ts';

const issue = { pointer: '/a', code: 'x', message: 'wrong' };

test.each([
  [new ApiError('forbidden', 'no'), 'forbidden'],
  [new DatabaseUnavailableError('gone'), 'database_unavailable'],
  [new TooManyEditsError('start a scheduler'), 'too_many_edits'],
  [new TooManyQueuesError(1_000), 'too_many_queues'],
  [new QueuesUnmadeError(['mail'], 'no room'), 'queue_unmade'],
  [new ServerUnfitError('no room for EVENTS'), 'messaging_unavailable'],
  [new SearchRefusedError('too_many_searches', 'later'), 'overloaded'],
  [new SearchRefusedError('search_too_slow', 'say more'), 'timed_out'],
  [new BusClosedError(), 'messaging_unavailable'],
  [new InvalidInputError('wrong', [issue]), 'invalid_request'],
  [
    Object.assign(new Error('big'), { statusCode: 413, code: 'FST_ERR_CTP_BODY_TOO_LARGE' }),
    'payload_too_large',
  ],
  [Object.assign(new SyntaxError('bad'), { statusCode: 400 }), 'malformed_request'],
  [Object.assign(new Error('not of the framework'), { statusCode: 413 }), 'internal_error'],
  ['a text', 'internal_error'],
  [null, 'internal_error'],
])('%s: %s', (thrown, code) => {
  expect(toApiError(thrown).code).toBe(code);
});

test('the issues are kept, and the first of them are said', () => {
  const issues = ['/a', '/b', '/c', '/d'].map((pointer) => ({ ...issue, pointer }));
  const error = toApiError(new InvalidInputError('wrong', issues));
  expect(error.issues).toEqual(issues);
  expect(error.message).toBe('/a: wrong; /b: wrong; /c: wrong (and 1 more)');
});
