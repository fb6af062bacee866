import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Readings } from '@jetbeat/runtime';
import Fastify from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCallers } from '../access/callers.ts';
import { createTestServer, findTestKey, NOW, SECRET, type TestServer } from '../test-server.ts';
import { boundBodies } from './open-bodies.ts';

const MIB = 1_024 ** 2;
const PREVIEW = { when: { every: '1h' } };
/** Valid, and as long as told. */
const padded = (length: number) => JSON.stringify(PREVIEW).padEnd(length);
const LENGTH = (bytes: number) => `content-length: ${bytes}`;
const JOB = '{"task":"a.b","input":1}';
const JSON_TYPE = { 'content-type': 'application/json' };
const CHUNKED = 'transfer-encoding: chunked';

/** What it takes to find out whose key it is. */
let lookUp: () => Promise<void> = async () => {};
let held: () => number;
let server: TestServer;
const sockets: Socket[] = [];
beforeEach(async () => {
  lookUp = async () => {};
  const read: (() => Readings | Promise<Readings>)[] = [];
  const findKey = async (id: string) => {
    await lookUp();
    return findTestKey(id);
  };
  server = await createTestServer({
    connections: 1_000,
    callers: createCallers({ findKey, clock: () => NOW }),
    metrics: { observe: (one) => void read.push(one), page: async () => '' },
  });
  held = () => Number(Object.assign({}, ...read.map((one) => one())).jetbeat_api_bodies_bytes);
  await server.app.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.app.close();
});

/** Begins a request, the body of which does not come. */
async function begin(
  key: string | undefined,
  length: string,
  line = 'POST /api/v1/schedules/preview',
): Promise<Socket> {
  const socket = connect((server.app.server.address() as AddressInfo).port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  const lines = [`${line} HTTP/1.1`, 'host: x', 'content-type: application/json', length];
  if (key !== undefined) lines.push(`authorization: Bearer jb_${key}_${SECRET}`);
  socket.write([...lines, '', ''].join('\r\n'));
  return socket;
}

const openConnections = () =>
  new Promise<number>((resolve) => server.app.server.getConnections((_error, count) => resolve(count)));

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
  const socket = await begin('nobody', LENGTH(MIB), 'POST /api/v1/nowhere');
  expect((await answer(socket)).status).toBe(404);
});

test.each([
  ['alone on its connection', ''],
  ['behind a request that waits', 'GET /api/v1/jobs HTTP/1.1'],
])('who goes while it is found out whose key it is has no place for ever: %s', async (_name, before) => {
  let told = () => {};
  const known = new Promise<void>((resolve) => {
    told = resolve;
  });
  let asked = 0;
  lookUp = () => {
    asked++;
    return known;
  };
  const wait = before === '' ? [] : [before, 'host: x', `authorization: Bearer jb_viewer_${SECRET}`, '', ''];
  const line = `${wait.join('\r\n')}POST /api/v1/schedules/preview`;
  const gone = await Promise.all(Array.from({ length: 33 }, () => begin('viewer', LENGTH(MIB), line)));
  await expect.poll(() => asked).toBe(before === '' ? 33 : 66);
  for (const socket of gone) socket.destroy();
  await expect.poll(() => openConnections()).toBe(0);
  told();
  expect(await whole('viewer', MIB)).toBe(200);
  await expect.poll(held).toBe(0);
});

test('a body behind a request that waits leaves its place when its connection goes', async () => {
  server.use({ fleet: () => new Promise(() => {}) });
  const socket = await begin('operator', LENGTH(JOB.length), 'POST /api/v1/jobs');
  const next = ['POST /api/v1/jobs HTTP/1.1', 'host: x', 'content-type: application/json', LENGTH(MIB)];
  socket.write(`${JOB}${[...next, `authorization: Bearer jb_operator_${SECRET}`, '', ''].join('\r\n')}`);
  await expect.poll(held).toBe(MIB);
  socket.destroy();
  await expect.poll(held).toBe(0);
});

test('who has not said who it is has no place, and takes nobody any', async () => {
  const open = await Promise.all(
    Array.from({ length: 140 }, () => begin(undefined, CHUNKED, 'DELETE /api/v1/session')),
  );
  await expect.poll(() => openConnections()).toBe(140);
  expect([await whole('admin', MIB), held()]).toEqual([200, 0]);
  expect(open.filter((socket) => socket.bytesRead > 0)).toEqual([]);
  const long = await begin(undefined, LENGTH(8_193), 'DELETE /api/v1/session');
  expect((await answer(long)).status).toBe(413);
});

test('nor where a route would read more than that', async () => {
  const app = Fastify();
  boundBodies(app);
  app.post('/', async () => 'read');
  const post = async (length: number) =>
    (await app.inject({ method: 'POST', url: '/', payload: padded(length), headers: JSON_TYPE })).body;
  expect(await post(16_384)).toBe('read');
  expect(JSON.parse(await post(16_385))).toMatchObject({ code: 'payload_too_large' });
  await app.close();
});

test('a body of which nobody knew how long it is holds, once it has come, what it is', async () => {
  server.use({ fleet: () => new Promise(() => {}) });
  const send = async (text: string) => {
    const socket = await begin('operator', CHUNKED, 'POST /api/v1/jobs');
    socket.write(`${text.length.toString(16)}\r\n${text}\r\n`);
    return socket;
  };
  const [still] = await Promise.all([
    send(JOB),
    send(JOB.padEnd(20_000)).then((socket) => socket.write('0\r\n\r\n')),
  ]);
  await expect.poll(held).toBe(MIB + 20_000);
  still.write('0\r\n\r\n');
  await expect.poll(held).toBe(20_000);
  // As many wait as a key may have, and one more.
  for (let count = 0; count < 40; count++) {
    (await send(JOB)).write('0\r\n\r\n');
    await expect.poll(held).toBe(20_000);
  }
  expect(sockets.filter((socket) => socket.bytesRead > 0)).toEqual([]);
  for (const socket of sockets) socket.destroy();
  await expect.poll(held).toBe(0);
});
