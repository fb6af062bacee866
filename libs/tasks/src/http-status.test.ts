import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Place, startPlace } from './http.fixture.ts';

let place: Place;
beforeEach(async () => {
  place = await startPlace();
});
afterEach(() => place.close());

test.each([
  [400, {}, 'rejected'],
  [401, {}, 'rejected'],
  [404, {}, 'rejected'],
  [404, { retryStatus: '4xx' }, 'failed'],
  [404, { retryStatus: [404] }, 'failed'],
  [403, { retryStatus: [404] }, 'rejected'],
  [302, {}, 'rejected'],
  [408, {}, 'failed'],
  [409, {}, 'failed'],
  [425, {}, 'failed'],
  [429, {}, 'failed'],
  [500, {}, 'failed'],
  [503, {}, 'failed'],
])('a status %i that was not expected, with %j: %s', async (status, more, outcome) => {
  place.handler = (_request, response) => response.writeHead(status, { location: '/' }).end();
  const run = await place.call({ url: place.origin, ...more });
  expect(run).toMatchObject({ outcome, error: { code: 'unexpected_status' } });
  expect(run.delay).toBeUndefined();
});

test.each([
  [429, '30', 30_000],
  [503, '7200', 3_600_000],
  [503, 'a date in a minute', 60_000],
  [503, '0', undefined],
  [503, 'soon', undefined],
  [500, '30', undefined],
])('%i with Retry-After %s is tried again after %s', async (status, value, delay) => {
  const now = Date.now();
  const date = new Date(now).toUTCString();
  const said = value === 'a date in a minute' ? new Date(now + 60_000).toUTCString() : value;
  place.handler = (_request, response) =>
    response.writeHead(status, { 'retry-after': said, date }).end('too much');
  const run = await place.call({ url: place.origin });
  expect(run).toMatchObject({ outcome: 'failed', error: { code: 'unexpected_status' } });
  expect(run.error?.message).toContain('too much');
  if (delay === undefined) expect(run.delay).toBeUndefined();
  else expect(Math.abs((run.delay ?? 0) - delay)).toBeLessThanOrEqual(1_000);
});

test.each([429, 503])('%i with Retry-After is judged by the policy as without it', async (status) => {
  const kinds = async (headers: Record<string, string>) => {
    place.handler = (_request, response) => response.writeHead(status, headers).end();
    const { outcome, error, kinds } = await place.call({ url: place.origin });
    return { outcome, name: error?.name, code: error?.code, kinds };
  };
  const without = await kinds({});
  expect(without.kinds).toContain('unexpected_status');
  expect(await kinds({ 'retry-after': '30' })).toEqual(without);
});
