import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestServer, SECRET, type TestServer } from '../test-server.ts';

const MIB = 1_024 ** 2;
const PREVIEW = { when: { every: '1h' } };
/** Valid, and as long as told. */
const padded = (length: number) => JSON.stringify(PREVIEW).padEnd(length);
const LENGTH = (bytes: number) => `content-length: ${bytes}`;
const CHUNKED = 'transfer-encoding: chunked';

let server: TestServer;
const sockets: Socket[] = [];
beforeEach(async () => {
  server = await createTestServer({ connections: 1_000 });
  await server.app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.app.close();
});

/** Begins a request, the body of which does not come. */
async function begin(key: string, length: string, path = '/api/v1/schedules/preview'): Promise<Socket> {
  const socket = connect((server.app.server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  const lines = [`POST ${path} HTTP/1.1`, 'host: x', 'content-type: application/json'];
  socket.write([...lines, `authorization: Bearer jb_${key}_${SECRET}`, length, '', ''].join('\r\n'));
  return socket;
}

/** What is answered, as far as it comes at once. */
async function answer(socket: Socket): Promise<{ status: number; text: string }> {
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  const text = String(bytes);
  return { status: Number(text.slice(9, 12)), text };
}

/** Whole requests, of which each one has its answer. */
const whole = async (key: string, bytes: number) => {
  const socket = await begin(key, LENGTH(bytes));
  socket.write(padded(bytes));
  const { status } = await answer(socket);
  socket.destroy();
  return status;
};

test.each([
  ['a MiB', LENGTH(MIB), 32],
  ['half of that', LENGTH(MIB / 2), 64],
  ['nobody knows', CHUNKED, 32],
])(
  'bodies of which there is to come %s, and which do not end, hold the share of a key, and no more of anybody',
  async (_name, length, fit) => {
    const open = await Promise.all(Array.from({ length: fit + 1 }, () => begin('viewer', length)));
    const { status, text } = await Promise.race(open.map((socket) => answer(socket)));
    expect([status, text]).toEqual([503, expect.stringMatching(/^retry-after: 1\r$/im)]);
    expect(text).toContain('"code":"overloaded"');
    // The connection goes on, once what came of the body is dropped.
    expect(text).not.toMatch(/^connection: close/im);
    // What is small needs no place; others have theirs.
    expect([await whole('viewer', 16_384), await whole('viewer', 16_385)]).toEqual([200, 503]);
    expect(await whole('operator', MIB)).toBe(200);
    expect(open.filter((socket) => socket.bytesRead > 0)).toHaveLength(1);
    // Who goes leaves its place; who is answered does, too.
    for (const socket of open) socket.destroy();
    await expect.poll(() => whole('viewer', MIB)).toBe(200);
    for (let count = 0; count < 40; count++) expect(await whole('viewer', MIB / 2)).toBe(200);
  },
);

test('all together have a bound, too', async () => {
  const keys = ['viewer', 'viewer2', 'viewer3', 'viewer4'];
  await Promise.all(keys.flatMap((key) => Array.from({ length: 32 }, () => begin(key, CHUNKED))));
  await expect.poll(() => whole('admin', 32_768)).toBe(503);
  expect(await whole('admin', 1_024)).toBe(200);
});

test('of an address that does not exist no body is read, whoever asks', async () => {
  const socket = await begin('nobody', LENGTH(MIB), '/api/v1/nowhere');
  expect((await answer(socket)).status).toBe(404);
});
