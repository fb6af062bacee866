import { once } from 'node:events';
import { get } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Readings } from '@jetbeat/runtime';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { createTestServer } from '../test-server.ts';
import { boundAnswers, type OpenAnswers } from './open-answers.ts';

const MIB = 1_024 ** 2;
const LARGE = Buffer.alloc(32 * MIB, 'x');
let app: FastifyInstance;
let handled: number;
let answers: OpenAnswers;
let cuts: string[];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});

async function listening(bounds: { pipelined?: number; waitingBytes?: number }) {
  app = Fastify({ forceCloseConnections: true }) as unknown as FastifyInstance;
  cuts = [];
  handled = 0;
  answers = boundAnswers(app, { ...bounds, cut: (why) => cuts.push(why) });
  app.addHook('onRequest', (_request, _reply, done) => {
    handled += 1;
    done();
  });
  app.get('/held', () => new Promise(() => {}));
  app.get('/fast', async () => 'fast');
  app.get('/large', async () => LARGE);
  app.get('/stream', { config: { stream: true } }, (_request, reply) => {
    reply.hijack();
    reply.raw.writeHead(200).write(LARGE);
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
}

const portOf = (one: FastifyInstance) => (one.server.address() as AddressInfo).port;

/** Asks many times in one write, and reads only if told. */
async function ask(paths: readonly string[], reads = false) {
  const socket = connect(portOf(app), '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  if (reads) socket.resume();
  else socket.pause();
  await once(socket, 'connect');
  socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`).join(''));
  return socket;
}

test('a connection that asks for more at once than may be open is cut, and nothing more of it is handled', async () => {
  await listening({ pipelined: 4 });
  const socket = await ask(Array<string>(1_000).fill('/held'), true);
  await once(socket, 'close');
  expect([handled, cuts]).toEqual([4, ['pipelined']]);
  expect(answers.waitingBytes).toBe(0);
});

test('what is asked at once within the bound is answered, as often as one likes', async () => {
  await listening({ pipelined: 8 });
  const socket = connect(portOf(app), '127.0.0.1');
  sockets.push(socket);
  for (let round = 1; round <= 5; round++) {
    socket.write('GET /fast HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(4));
    let text = '';
    while (text.split('fast').length <= 4) text += String((await once(socket, 'data'))[0]);
  }
  expect([handled, cuts]).toEqual([20, []]);
});

test('answers that nobody reads do not pile up: who reads is answered whole, who does not is cut', async () => {
  await listening({ waitingBytes: 48 * MIB });
  const unread = [await ask(['/large']), await ask(['/large']), await ask(['/large'])];
  await expect.poll(() => cuts.length).toBeGreaterThan(0);
  expect(new Set(cuts)).toEqual(new Set(['unread']));
  await expect.poll(() => answers.waitingBytes).toBeLessThanOrEqual(48 * MIB);
  // What was read is none of it.
  const [answer] = await once(get({ port: portOf(app), path: '/large', agent: false }), 'response');
  let bytes = 0;
  for await (const chunk of answer) bytes += chunk.length;
  expect(bytes).toBe(LARGE.length);
  expect(unread).toHaveLength(3);
});

test('streams have a bound of their own; what is asked for behind one counts', async () => {
  await listening({ waitingBytes: 16 * MIB });
  const stream = await ask(['/stream']);
  await expect.poll(() => handled).toBe(1);
  expect(answers.waitingBytes).toBe(0);
  await ask(['/stream', '/large']);
  await expect.poll(() => cuts).toEqual(['unread']);
  expect(stream.destroyed).toBe(false);
});

test.each(['/openapi.json', '/docs/json', '/api/v1/nowhere', '/%zz'])(
  '1,500 requests for %s in one write: 16 are handled, and others are answered',
  async (path) => {
    const read: (() => Readings | Promise<Readings>)[] = [];
    const server = await createTestServer({
      metrics: { observe: (one) => void read.push(one), page: async () => '' },
    });
    app = server.app;
    await app.listen({ host: '127.0.0.1', port: 0 });
    const socket = await ask(Array<string>(1_500).fill(path), true);
    const [answer] = await once(get({ port: portOf(app), path: '/livez', agent: false }), 'response');
    answer.resume();
    expect(answer.statusCode).toBe(200);
    await once(answer, 'end');
    if (!socket.closed) await once(socket, 'close');
    const readings = Object.assign({}, ...(await Promise.all(read.map((one) => one()))));
    const counted = readings.jetbeat_api_requests_total as readonly {
      labels: { route: string };
      value: number;
    }[];
    const handled = counted.filter(({ labels }) => labels.route !== '/livez');
    expect(handled.reduce((sum, { value }) => sum + value, 0)).toBeLessThanOrEqual(16);
    expect(server.lines.length).toBeLessThan(40);
    expect(readings).toMatchObject({
      jetbeat_api_answers_waiting_bytes: 0,
      jetbeat_api_refusals_total: expect.arrayContaining([{ labels: { reason: 'pipelined' }, value: 1 }]),
    });
  },
);
