import { expect, test } from 'vitest';
import { defineTask } from './define-task.ts';
import { kindsOf } from './kinds-of.ts';
import { Retry } from './on-purpose.ts';
import { runTask } from './testing.ts';

class HttpError extends Error {
  readonly code = 'http_503';
}
class GatewayError extends HttpError {}

test('an error is of its classes, of its name, and of its code', () => {
  expect(kindsOf(new GatewayError('no'))).toEqual(['GatewayError', 'HttpError', 'Error', 'http_503']);
  const named = Object.assign(new TypeError('no'), { name: 'Renamed', code: 429 });
  expect(kindsOf(named)).toEqual(['TypeError', 'Error', 'Renamed', '429']);
  expect(kindsOf(new DOMException('no', 'AbortError'))).toContain('AbortError');
  expect(kindsOf('a text')).toEqual(['NotAnError', 'Error']);
});

test('an error without a code has that of its nearest cause, as that of fetch', () => {
  const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  expect(kindsOf(new TypeError('fetch failed', { cause: refused }))).toContain('ECONNREFUSED');
  expect(kindsOf(new Error('a', { cause: new Error('b', { cause: refused }) }))).toContain('ECONNREFUSED');
  expect(kindsOf(Object.assign(new Error('a', { cause: refused }), { code: 'own' }))).toEqual([
    'Error',
    'own',
  ]);
  const endless = new Error('a');
  endless.cause = endless;
  expect(kindsOf(endless)).toEqual(['Error']);
});

test('whatever cannot be looked at is an error still', () => {
  const hostile = Object.defineProperty(new Error('a'), 'code', {
    get() {
      throw new Error('never');
    },
  });
  expect(kindsOf(hostile)).toEqual(['Error']);
  expect(kindsOf(Object.assign(new Error('a'), { code: 'x'.repeat(129) }))).toEqual(['Error']);
});

test('only failures carry kinds, and not where the handler says what follows', async () => {
  const run = (act: () => unknown) => runTask(defineTask({ name: 'a', run: act }), null);
  const fail = (error: unknown) => () => {
    throw error;
  };
  expect((await run(fail(new GatewayError('no')))).kinds).toEqual([
    ...['GatewayError', 'HttpError', 'Error', 'http_503'],
  ]);
  expect((await run(fail(Retry({ delay: '1s' })))).kinds).toBeUndefined();
  expect(await run(() => 1)).not.toHaveProperty('kinds');
});
