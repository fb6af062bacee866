import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { type Certificate, makeCertificate } from '../../../../test/support/certificate.ts';
import { answerError } from '../problems/answer-error.ts';
import { boundConnections, type Connections } from './connections.ts';

let app: FastifyInstance;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});

/** A server on which few may connect, and a request that lasts. */
async function listening(
  most: number,
  beside: number,
  options: { https?: Certificate; share?: number; force?: false } = {},
) {
  const { https, share, force = true } = options;
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  let dropped = 0;
  let now = 0;
  app = Fastify({ forceCloseConnections: force, ...(https ? { https } : {}) }) as unknown as FastifyInstance;
  const connections: Connections = boundConnections(app, {
    most,
    beside,
    ...(share === undefined ? {} : { share }),
    dropped: () => {
      dropped += 1;
    },
    monotonic: () => now,
  });
  app.addHook('onRequest', async (request, reply) =>
    connections.check(request, reply, request.url === '/livez'),
  );
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, () => {}));
  app.get('/livez', async () => 'ok');
  app.get('/slow', async () => {
    ask();
    await held;
    return 'slow';
  });
  app.get('/fast', async () => 'fast');
  await app.listen({ host: '127.0.0.1', port: 0 });
  const pass = (ms: number) => {
    now += ms;
  };
  return { connections, asked, release, pass, dropped: () => dropped };
}

/** Opens a connection; what it is told can be waited for. */
async function open(isTls = false) {
  const where = { port: (app.server.address() as AddressInfo).port, host: '127.0.0.1' };
  const socket = isTls ? connectTls({ ...where, rejectUnauthorized: false }) : connect(where);
  sockets.push(socket);
  let text = '';
  let wake = Promise.withResolvers<void>();
  const tell = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  socket.on('data', (data) => {
    text += data.toString();
    tell();
  });
  socket.on('close', tell).on('error', () => {});
  await once(socket, isTls ? 'secureConnect' : 'connect');
  return {
    socket,
    where,
    ask: (path: string) => void socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`),
    async until(fits: () => boolean) {
      while (!fits()) await wake.promise;
      return text;
    },
    get text() {
      return text;
    },
  };
}

test('a connection too many is told so and closed, health is answered, and what is beyond that is closed at once', async () => {
  const { connections, asked, release, dropped } = await listening(1, 2);
  const first = await open();
  first.ask('/slow');
  await asked;
  const second = await open();
  second.ask('/fast');
  const refused = await second.until(() => second.socket.closed);
  expect(refused).toMatch(/^HTTP\/1\.1 503 [\s\S]*connection: close[\s\S]*"code":"overloaded"/i);
  expect(refused).toMatch(/retry-after: 1/i);
  const third = await open();
  third.ask('/livez');
  expect(await third.until(() => third.socket.closed)).toMatch(
    /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*ok$/i,
  );
  const waiting = [await open(), await open()];
  await expect.poll(() => connections.count).toBe(3);
  const last = await open();
  expect(await last.until(() => last.socket.closed)).toBe('');
  expect(dropped()).toBe(1);
  for (const { socket } of waiting) socket.destroy();
  release();
  expect(await first.until(() => first.text.endsWith('slow'))).toContain('200 OK');
  await expect.poll(() => connections.count).toBe(1);
  first.ask('/fast');
  await first.until(() => first.text.endsWith('fast'));
});

test('connections that only wait for another request make room', async () => {
  const { connections } = await listening(2, 1);
  const idle = await open();
  idle.ask('/fast');
  await idle.until(() => idle.text.endsWith('fast'));
  const busy = await open();
  busy.ask('/fast');
  await idle.until(() => idle.socket.closed);
  await busy.until(() => busy.text.endsWith('fast'));
  expect(busy.text).not.toMatch(/connection: close/i);
  await expect.poll(() => connections.count).toBe(1);
});

test.each([
  ['http', undefined],
  ['https', makeCertificate()],
])('connections that have never asked for anything make room after a while, by %s', async (_, https) => {
  const { connections, asked, pass } = await listening(3, 1, https ? { https } : {});
  const isTls = https !== undefined;
  const asking = await open(isTls);
  asking.ask('/slow');
  await asked;
  const silent = await open(isTls);
  await expect.poll(() => connections.count).toBe(2);
  pass(2_000);
  const busy = await open(isTls);
  busy.ask('/fast');
  await silent.until(() => silent.socket.closed);
  await busy.until(() => busy.text.endsWith('fast'));
  expect([asking.socket.closed, busy.text]).toEqual([false, expect.stringMatching(/^HTTP\/1\.1 200/)]);
});

test('a server that stops waits for what was asked for, and not for connections that were only opened', async () => {
  const { connections, asked, release, pass } = await listening(3, 1, { force: false });
  const silent = await open();
  const asking = await open();
  asking.ask('/slow');
  await asked;
  await expect.poll(() => connections.count).toBe(2);
  pass(250);
  const closed = app.close();
  await silent.until(() => silent.socket.closed);
  expect(asking.socket.closed).toBe(false);
  release();
  expect(await asking.until(() => asking.text.endsWith('slow'))).toContain('200 OK');
  asking.socket.destroy();
  await closed;
});

test.each([
  ['http', undefined],
  ['https', makeCertificate()],
])(
  'a server that stops waits for a request whose header is half there, and not for long, by %s',
  async (_, https) => {
    const { connections, pass } = await listening(4, 1, { force: false, ...(https ? { https } : {}) });
    const isTls = https !== undefined;
    const served: Socket[] = [];
    app.server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => served.push(socket));
    const silent = await open(isTls);
    const [ends, never] = [await open(isTls), await open(isTls)];
    await expect.poll(() => connections.count).toBe(3);
    await expect.poll(() => served.length).toBe(3);
    for (const { socket } of [ends, never]) socket.write('GET /fast HTTP/1.1\r\nhost: x\r\n');
    const heard = () => served.filter(({ bytesRead }) => bytesRead > 0).length;
    await expect.poll(heard).toBe(2);
    pass(250);
    const closed = app.close();
    await silent.until(() => silent.socket.closed);
    ends.socket.write('\r\n');
    expect(await ends.until(() => ends.text !== '' || ends.socket.closed)).toMatch(/^HTTP\/1\.1 503/);
    expect(never.socket.closed).toBe(false);
    pass(1_750);
    expect(await never.until(() => never.socket.closed)).toBe('');
    await closed;
  },
);

test('one address does not have all that is beside the bound', async () => {
  const { connections, asked, dropped } = await listening(1, 3, { share: 1 });
  const first = await open();
  first.ask('/slow');
  await asked;
  const second = await open();
  await expect.poll(() => connections.count).toBe(2);
  const third = await open();
  expect(await third.until(() => third.socket.closed)).toBe('');
  expect(dropped()).toBe(1);
  const other = connect({ ...second.where, localAddress: '127.0.0.2' });
  sockets.push(other);
  other.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
  const [answer] = await once(other, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200/);
  // What is given back may be taken again.
  second.socket.destroy();
  await once(other, 'close');
  await expect.poll(() => connections.count).toBe(1);
  const again = await open();
  again.ask('/livez');
  expect(await again.until(() => again.socket.closed)).toMatch(/^HTTP\/1\.1 200/);
});

test('with https too', async () => {
  const { asked, release } = await listening(1, 1, { https: makeCertificate() });
  const first = await open(true);
  first.ask('/slow');
  await asked;
  const second = await open(true);
  second.ask('/fast');
  expect(await second.until(() => second.socket.closed)).toContain('"code":"overloaded"');
  release();
  await first.until(() => first.text.endsWith('slow'));
});
