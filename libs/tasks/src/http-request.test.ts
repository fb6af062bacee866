import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { manualClock, runTask } from '@jetbeat/task/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { builtInTasks } from './built-in.ts';
import { type HttpAgent, openHttpAgent } from './http-agent.ts';
import { httpRequest } from './http-request.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;
type Input = Parameters<ReturnType<typeof httpRequest>['check']>[0];

let server: Server;
let origin: string;
let port: number;
let handler: Handler;
let hits: number;
let agent: HttpAgent;

beforeEach(async () => {
  hits = 0;
  handler = (_request, response) => response.end('fine');
  server = createServer(async (request, response) => {
    hits++;
    let body = '';
    for await (const chunk of request) body += chunk;
    handler(request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  origin = `http://127.0.0.1:${port}`;
  agent = openHttpAgent({ allowHosts: [], allowLoopback: true });
});
afterEach(async () => {
  await agent.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const call = (input: Input, of: HttpAgent = agent) => runTask(httpRequest(of), input as { url: string });

/** Runs with an agent of its own and closes it. */
async function callWith(of: HttpAgent, input: Input) {
  try {
    return await call(input, of);
  } finally {
    await of.close();
  }
}

test('a request goes out as it was written, and the answer comes back bounded', async () => {
  handler = (request, response, body) => {
    response
      .setHeader('etag', '"1"')
      .setHeader('x-secret', 'no')
      .setHeader('content-type', 'application/json');
    response.statusCode = 201;
    response.end(
      JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }),
    );
  };
  const { outcome, result } = await call({
    method: 'PUT',
    url: `${origin}/a?b=c#d`,
    headers: { 'X-Mine': '1', authorization: 'Bearer x' },
    body: { n: 1 },
  });
  expect(outcome).toBe('succeeded');
  const answer = result as { status: number; headers: Record<string, string>; body: string };
  expect(answer.status).toBe(201);
  expect(Object.keys(answer.headers).sort()).toEqual(['content-length', 'content-type', 'date', 'etag']);
  expect(JSON.parse(answer.body)).toMatchObject({
    method: 'PUT',
    url: '/a?b=c',
    headers: {
      'x-mine': '1',
      authorization: 'Bearer x',
      'content-type': 'application/json',
      'user-agent': 'jetbeat',
    },
    body: '{"n":1}',
  });
});

test('a text body goes out as it is; localhost is loopback too', async () => {
  handler = (request, response, body) => response.end(`${request.headers['content-type']} ${body}`);
  const { result } = await call({ method: 'POST', url: `http://localhost:${port}/`, body: 'plain' });
  expect(result).toMatchObject({ status: 200, body: 'undefined plain' });
});

test.each([
  [500, undefined, false],
  [204, undefined, true],
  [404, 404, true],
  [200, 404, false],
  [409, [200, 409], true],
  [302, '3xx', true],
  [200, '3xx', false],
])('status %i where %j is expected: %s', async (status, expectStatus, isFine) => {
  handler = (_request, response) => response.writeHead(status).end();
  const run = await call({ url: origin, ...(expectStatus === undefined ? {} : { expectStatus }) });
  if (isFine) expect(run).toMatchObject({ outcome: 'succeeded', result: { status } });
  else expect(run).toMatchObject({ outcome: 'failed', error: { code: 'unexpected_status' } });
});

test('a redirect is not followed, and the error says where it leads', async () => {
  handler = (_request, response) => response.writeHead(302, { location: 'http://10.0.0.1/' }).end();
  const { error } = await call({ url: `${origin}/x?token=secret` });
  expect(error?.message).toBe(
    `GET ${origin}/x answered 302, expected 2xx: redirects are not followed, this one leads to http://10.0.0.1/`,
  );
  expect(hits).toBe(1);
});

test('a large answer is cut at 64 KiB, never inside a character', async () => {
  handler = (_request, response) => response.end(`\0${'é'.repeat(40_000)}`);
  const { result } = await call({ url: origin });
  const { body, bodyCut } = result as { body: string; bodyCut?: true };
  expect(bodyCut).toBe(true);
  expect(body).toBe(`\uFFFD${'é'.repeat(32_767)}`);
});

test('an endless answer is cut too', async () => {
  handler = (_request, response) => {
    const write = () => {
      while (!response.destroyed && response.write('x'.repeat(16_384)));
    };
    response.on('drain', write);
    write();
  };
  const { result } = await call({ url: origin });
  expect((result as { body: string }).body.length).toBe(65_536);
});

test('no answer in time fails, and can be tried again', async () => {
  handler = () => {};
  const { outcome, error } = await call({ url: origin, timeout: '30ms' });
  expect([outcome, error?.code, error?.message]).toEqual([
    'failed',
    'http_timeout',
    `GET ${origin}/ took longer than 30ms`,
  ]);
});

test('an answer that stops half-way fails in time too', async () => {
  handler = (_request, response) => void response.writeHead(200).write('half');
  expect(await call({ url: origin, timeout: '50ms' })).toMatchObject({
    outcome: 'failed',
    error: { code: 'http_timeout' },
  });
});

test('a refused connection fails with its cause', async () => {
  await new Promise((resolve) => server.close(resolve));
  for (const host of ['127.0.0.1', 'localhost']) {
    const { outcome, error } = await call({ url: `http://${host}:${port}/` });
    expect([outcome, error?.code]).toEqual(['failed', 'http_failed']);
    expect(error?.message).toContain('ECONNREFUSED');
  }
});

test('the soft limit of the attempt ends the request', async () => {
  const clock = manualClock();
  const arrived = Promise.withResolvers<void>();
  handler = () => arrived.resolve();
  const policy = { timeout: { soft: 1_000, hard: 2_000 } };
  const run = runTask(httpRequest(agent), { url: origin }, { clock, policy });
  await arrived.promise;
  clock.advance(1_000);
  expect(await run).toMatchObject({ outcome: 'timed-out', error: { code: 'soft_time_limit' } });
});

test('a name is checked by what it stands for, and only what was checked is connected to', async () => {
  const asked: string[] = [];
  const standsFor = (...addresses: string[]) =>
    openHttpAgent(
      { allowHosts: ['*.example.org'], allowLoopback: addresses.includes('127.0.0.1') },
      (host, _, callback) => {
        asked.push(host);
        callback(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        );
      },
    );
  const url = `http://a.example.org:${port}/`;
  expect(await callWith(standsFor('10.0.0.1'), { url })).toMatchObject({
    outcome: 'rejected',
    error: { code: 'http_not_allowed', message: expect.stringContaining('private address 10.0.0.1') },
  });
  expect(hits).toBe(0);
  expect(await callWith(standsFor('fd00::1', '127.0.0.1'), { url })).toMatchObject({ outcome: 'succeeded' });
  expect(asked).toEqual(['a.example.org', 'a.example.org']);
});

test('a name that nobody knows fails, and can be tried again', async () => {
  const of = openHttpAgent({ allowHosts: ['a.example.org'], allowLoopback: false }, (_host, _, callback) =>
    callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []),
  );
  expect(await callWith(of, { url: 'http://a.example.org/' })).toMatchObject({
    outcome: 'failed',
    error: { code: 'http_failed' },
  });
});

test('the built-in tasks are there, use connections again and close twice', async () => {
  const builtIn = builtInTasks({ http: { allowHosts: [], allowLoopback: true } });
  expect(builtIn.tasks.map((task) => task.name)).toEqual([
    'system.echo',
    'http.request',
    'email.send',
    'files.cleanup',
    'postgres.maintenance',
    'command.run',
  ]);
  const [echo, http] = builtIn.tasks;
  if (!echo || !http) throw new Error('unreachable');
  expect((await runTask(echo, { a: [1] })).result).toEqual({ a: [1] });
  const ports = new Set<number | undefined>();
  handler = (request, response) => {
    ports.add(request.socket.remotePort);
    response.end();
  };
  for (let i = 0; i < 20; i++) expect((await runTask(http, { url: origin })).outcome).toBe('succeeded');
  // The next request may be there before the connection is free again, so it need not be a single one.
  expect(ports.size).toBeLessThan(5);
  await Promise.all([builtIn.close(), builtIn.close()]);
});
