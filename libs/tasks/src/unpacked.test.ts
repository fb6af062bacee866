import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Place, startPlace } from './http.fixture.ts';

let place: Place;
beforeEach(async () => {
  place = await startPlace();
});
afterEach(() => place.close());

const text = '{"grüße":"€"}';
const answer = (encoding: string, body: Buffer) => {
  place.handler = (_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body);
  return place.call({ url: place.origin, headers: { 'accept-encoding': 'gzip' } });
};

test.each([
  ['gzip', gzipSync],
  ['X-Gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['identity', (bytes: Buffer) => bytes],
])('a body that is packed as %s is kept as the text that it is', async (encoding, pack) => {
  const { result } = await answer(encoding, pack(Buffer.from(text)));
  expect(result).toMatchObject({ status: 200, body: text });
});

test.each(['compress', 'gzip, br', 'constructor'])(
  'of one packed as %s, which cannot be undone, the header is kept',
  async (encoding) => {
    const { outcome, result } = await answer(encoding, gzipSync(text));
    expect(outcome).toBe('succeeded');
    expect(result).toMatchObject({ headers: { 'content-encoding': encoding } });
    expect(result).not.toHaveProperty('body');
  },
);

test('a little that becomes a hundred megabytes is unpacked as far as it is kept', async () => {
  const packed = gzipSync(Buffer.alloc(100_000_000, 'a'));
  const before = process.memoryUsage().arrayBuffers;
  const { result } = await answer('gzip', packed);
  expect(result).toMatchObject({ body: 'a'.repeat(65_536), bodyCut: true });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
});

test('an answer without a body has none, whatever it says; one that is not what it says has failed', async () => {
  for (const encoding of ['gzip', 'deflate', 'br', 'zstd'])
    for (const method of ['GET', 'HEAD']) {
      place.handler = (_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end();
      const { outcome, result } = await place.call({ url: place.origin, method });
      expect(outcome).toBe('succeeded');
      expect(result).not.toHaveProperty('body');
    }
  expect(await answer('gzip', Buffer.from(text))).toMatchObject({
    outcome: 'failed',
    error: { code: 'http_failed' },
  });
});
