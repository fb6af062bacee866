import { expect, test } from 'vitest';
import { ListenError, toListenError } from './listen-error.ts';

const place = { host: '127.0.0.1', port: 80, setting: 'JETBEAT_PORT' } as const;

test.each([
  ['EADDRINUSE', /^port 80 of 127\.0\.0\.1 is in use: .*JETBEAT_PORT/],
  ['EACCES', /may not listen on port 80: set JETBEAT_PORT/],
  ['EADDRNOTAVAIL', /no address 127\.0\.0\.1: set JETBEAT_HOST/],
  ['ENOTFOUND', /no address 127\.0\.0\.1: set JETBEAT_HOST/],
])('%s: what to set', (code, message) => {
  const error = toListenError(Object.assign(new Error(code), { code }), place);
  expect(error).toBeInstanceOf(ListenError);
  expect(error).toMatchObject({ code: 'cannot_listen', message: expect.stringMatching(message) });
});

test('any other error stays what it is', () => {
  const error = new Error('other');
  expect(toListenError(error, place)).toBe(error);
  expect(toListenError(null, place)).toBe(null);
});
