import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { storedHash } from '../access/api-key.ts';
import { createCallers } from '../access/callers.ts';
import { HOME } from '../access/door.ts';
import { createTestServer, NOW, SECRET, type TestServer } from '../test-server.ts';

const JOB = { task: 'a', input: 1 };
const second = { periodMs: 1_000 };

describe('headers', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await createTestServer({ door: { ...HOME, secure: true } });
  });
  afterAll(() => server.app.close());

  test.each(['/jobs?limit=0', '/api/v1/nowhere', '/jobs/%zz', '/livez'])(
    'of %s: nothing of it is run, framed, kept or read from elsewhere',
    async (path) => {
      const { headers } = await server.call(`GET ${path}`);
      expect(headers).toMatchObject({
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
        'strict-transport-security': 'max-age=31536000',
      });
      expect(Object.keys(headers).filter((name) => /access-control|powered|^server$/.test(name))).toEqual([]);
    },
  );

  test('also of what comes straight where only a proxy may', async () => {
    const proxied = { ...HOME, secure: true, trustedProxies: ['10.0.0.0/8'] };
    const { app } = await createTestServer({ door: proxied });
    const { statusCode, headers } = await app.inject({ url: '/api/v1/jobs', remoteAddress: '192.0.2.1' });
    expect(statusCode).toBe(403);
    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
      'strict-transport-security': 'max-age=31536000',
    });
    await app.close();
  });

  test('of the description: the same, but it may be kept by whoever asks whether it is still so', async () => {
    const { headers } = await server.call('GET /openapi.json');
    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-cache',
      'strict-transport-security': 'max-age=31536000',
    });
  });

  test('of the reference: it may load what is here, and nothing else', async () => {
    for (const path of ['/docs', '/docs/', '/docs/static/swagger-ui.css', '/docs/json']) {
      const { headers } = await server.app.inject(path);
      const policy = String(headers['content-security-policy']);
      expect(policy, path).toMatch(/^default-src 'none'; script-src 'self';/);
      expect(policy).not.toMatch(/https|\*|unsafe-eval/);
      expect(headers['cross-origin-opener-policy']).toBe('same-origin');
    }
  });

  test('another origin is told nothing, whatever it asks', async () => {
    const asked = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const answer = await server.call('OPTIONS /jobs', undefined, asked);
    expect(answer.status).toBe(405);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('how often one may ask', () => {
  let server: TestServer;
  let now = 0;
  let wall = NOW;
  beforeEach(async () => {
    now += 1_000_000;
    server = await createTestServer({
      clock: () => wall,
      monotonic: () => now,
      limits: {
        key: { ...second, limit: 1, burst: 3 },
        address: { ...second, limit: 1, burst: 10 },
        failures: { ...second, limit: 1, burst: 2 },
      },
    });
  });
  afterEach(() => server.app.close());
  const as = (id: string) => ({ authorization: `Bearer jb_${id}_${SECRET}` });

  test('one key: refused beyond its rate, with when to come again; other keys are not', async () => {
    // Whoever is far from the limit is not told.
    expect((await server.call('POST /jobs', JOB)).headers).not.toHaveProperty('ratelimit');
    const { headers } = await server.call('POST /jobs', JOB);
    expect(headers).toMatchObject({ 'ratelimit-policy': '"key";q=3;w=3', ratelimit: '"key";r=1;t=2' });
    await server.call('POST /jobs', JOB);
    const refused = await server.call('POST /jobs', JOB);
    expect(refused).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1', ratelimit: '"key";r=0;t=3' },
      body: { code: 'rate_limited', status: 429 },
    });
    expect((await server.call('POST /jobs', JOB, as('operator'))).status).toBe(202);
    now += 1_000;
    expect((await server.call('POST /jobs', JOB)).status).toBe(202);
  });

  test('one address: refused before anything is read; whoever watches the process is not', async () => {
    for (let times = 0; times < 10; times++) await server.call('GET /nowhere');
    const refused = await server.call('GET /nowhere');
    expect(refused).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1', 'ratelimit-policy': '"address";q=10;w=10' },
      body: { code: 'rate_limited' },
    });
    expect((await server.call('GET /docs')).status).toBe(429);
    for (const path of ['/livez', '/readyz', '/metrics'])
      expect((await server.app.inject(path)).statusCode).toBe(200);
  });

  test('when the clock is set back: nobody is refused that was not before', async () => {
    const wrong = { authorization: `Bearer jb_nobody_${SECRET}` };
    await server.call('POST /jobs', JOB);
    await server.call('POST /jobs', JOB, wrong);
    wall -= 3_600_000;
    expect((await server.call('POST /jobs', JOB)).status).toBe(202);
    expect((await server.call('POST /jobs', JOB, wrong)).status).toBe(401);
  });

  test('wrong keys: not looked up any more, but one that was right lately is', async () => {
    expect((await server.call('POST /jobs', JOB)).status).toBe(202);
    const wrong = { authorization: `Bearer jb_nobody_${SECRET}` };
    for (let times = 0; times < 2; times++)
      expect((await server.call('POST /jobs', JOB, wrong)).status).toBe(401);
    expect(await server.call('POST /jobs', JOB, wrong)).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1' },
      body: { code: 'too_many_failures' },
    });
    expect((await server.call('POST /jobs', JOB, as('operator'))).status).toBe(429);
    // Nor does anybody lock it out who knows its id.
    const guess = { authorization: `Bearer jb_admin_${'x'.repeat(43)}` };
    expect((await server.call('POST /jobs', JOB, guess)).status).toBe(429);
    expect((await server.call('POST /jobs', JOB)).status).toBe(202);
    now += 1_000;
    expect((await server.call('POST /jobs', JOB, as('operator'))).status).toBe(202);
  });
});

describe('wrong keys', () => {
  const limits = { failures: { ...second, limit: 1, burst: 2 } };
  const wrong = { authorization: `Bearer jb_nobody_${SECRET}` };

  test('are not looked up without end at /metrics either, where that asks for keys; who scrapes goes on', async () => {
    const server = await createTestServer({ limits, monotonic: () => 0, door: { ...HOME, isOpen: true } });
    expect((await server.app.inject('/metrics')).statusCode).toBe(401);
    const scrape = () =>
      server.app.inject({ url: '/metrics', headers: { authorization: `Bearer jb_viewer_${SECRET}` } });
    expect((await scrape()).statusCode).toBe(200);
    const guess = () => server.app.inject({ url: '/metrics', headers: wrong });
    for (let times = 0; times < 2; times++) expect((await guess()).statusCode).toBe(401);
    expect((await guess()).json()).toMatchObject({ status: 429, code: 'too_many_failures' });
    expect((await scrape()).statusCode).toBe(200);
    await server.app.close();
  });

  test('are not none at all: what a page elsewhere can make a browser send keeps nobody at its address out', async () => {
    const server = await createTestServer({ limits, monotonic: () => 0 });
    for (let times = 0; times < 20; times++)
      expect((await server.app.inject('/api/v1/jobs')).statusCode).toBe(401);
    expect((await server.call('GET /jobs?limit=0')).status).toBe(400);
    await server.app.close();
  });

  test('one that is not right any more is not heard for having been right', async () => {
    let isRevoked = false;
    const findKey = async () => {
      const flags = { payloads: true, expired: false, configured: false, createdAt: 0, retired: [] };
      const hash = isRevoked ? 'revoked' : storedHash(SECRET);
      return { id: 'ops', role: 'admin', name: 'ops', hash, ...flags } as const;
    };
    const callers = createCallers({ findKey, clock: () => NOW });
    const server = await createTestServer({ limits, callers, monotonic: () => 0 });
    const ask = async () =>
      (await server.call('GET /jobs?limit=0', undefined, { authorization: `Bearer jb_ops_${SECRET}` }))
        .status;
    expect(await ask()).toBe(400);
    isRevoked = true;
    expect([await ask(), await ask(), await ask()]).toEqual([401, 401, 429]);
    await server.app.close();
  });

  test('a key that has another secret by now was right lately with that one', async () => {
    let secret = 'a'.repeat(43);
    const findKey = async () => {
      const flags = { payloads: true, expired: false, configured: false, createdAt: 0, retired: [] };
      return { id: 'ops', role: 'admin', name: 'ops', hash: storedHash(secret), ...flags } as const;
    };
    const callers = createCallers({ findKey, clock: () => NOW });
    const server = await createTestServer({ limits, monotonic: () => 0, callers });
    const ask = async (with_: string) =>
      (await server.call('POST /jobs', JOB, { authorization: `Bearer jb_ops_${with_}` })).status;
    expect(await ask(secret)).toBe(202);
    const old = secret;
    secret = 'b'.repeat(43);
    expect(await ask(secret)).toBe(202);
    // Programs of the same address that nobody has told.
    expect([await ask(old), await ask(old), await ask(old)]).toEqual([401, 401, 429]);
    expect(await ask(secret)).toBe(202);
    await server.app.close();
  });
});

describe('too much at once, or for too long', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await createTestServer();
  });
  beforeEach(() => server.use({}));
  afterAll(() => server.app.close());

  test('statements that wait: 503, and when to come again; health is told all the same', async () => {
    server.use({ queueing: () => ({ count: 12, oldestMs: 1_500 }) });
    expect(await server.call('POST /jobs', JOB)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'overloaded', detail: expect.stringContaining('12 statements wait for PostgreSQL') },
    });
    expect((await server.call('GET /readyz')).status).toBe(200);
  });
});

test.each([
  ['PUT /jobs', 'GET, HEAD, POST'],
  ['OPTIONS /jobs', 'GET, HEAD, POST'],
  ['TRACE /jobs', 'GET, HEAD, POST'],
  ['QUERY /jobs', 'GET, HEAD, POST'],
  ['POST /livez', 'GET, HEAD'],
  ['DELETE /schedules/a/pause', 'POST'],
])('%s: 405, with what there is', async (request, allow) => {
  const server = await createTestServer();
  const answer = await server.call(request);
  expect(answer).toMatchObject({ status: 405, headers: { allow }, body: { code: 'method_not_allowed' } });
  await server.app.close();
});

describe('on a socket', () => {
  let server: TestServer;
  let port: number;
  const KEY = `host: x\r\nauthorization: Bearer jb_admin_${SECRET}\r\ncontent-type: application/json\r\n`;
  const body = JSON.stringify(JOB);
  const whole = `POST /api/v1/jobs HTTP/1.1\r\n${KEY}content-length: ${body.length}\r\n\r\n${body}`;
  beforeEach(async () => {
    server = await createTestServer();
    port = Number(new URL(await server.app.listen({ host: '127.0.0.1', port: 0 })).port);
  });
  afterEach(() => server.app.close());

  test('requests that come together are answered one after the other', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.end(`${whole}GET /livez HTTP/1.1\r\nhost: x\r\n\r\n`);
    const answers = (await text(socket)).match(/HTTP\/1\.1 \d+|"ok":true/g);
    expect(answers).toEqual(['HTTP/1.1 202', 'HTTP/1.1 200', '"ok":true', '"ok":true']);
  });

  test.each([
    ['10,000 headers', `GET /livez HTTP/1.1\r\nhost: x\r\n${'a: b\r\n'.repeat(10_000)}\r\n`, 431],
    [
      'two lengths',
      `POST /api/v1/jobs HTTP/1.1\r\n${KEY}content-length: 1\r\ncontent-length: 2\r\n\r\n{}`,
      400,
    ],
    [
      'a length and chunks',
      `POST /api/v1/jobs HTTP/1.1\r\n${KEY}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a header with a line break in it', 'GET /livez HTTP/1.1\r\nhost: x\r\na: b\nc\r\n\r\n', 400],
    [
      'what is expected and not done here',
      'GET /livez HTTP/1.1\r\nhost: x\r\nexpect: foo\r\nconnection: close\r\n\r\n',
      417,
    ],
    ['no host', 'GET /livez HTTP/1.1\r\n\r\n', 400],
    [
      'a chunk that is none',
      `POST /api/v1/jobs HTTP/1.1\r\n${KEY}transfer-encoding: chunked\r\n\r\nzz\r\n`,
      400,
    ],
  ])('%s: refused', async (_name, sent, status) => {
    const socket = connect(port, '127.0.0.1');
    socket.end(sent);
    expect(await saidBeforeClose(socket)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  test('what is expected and not done here is told as any problem is; 100-continue is done', async () => {
    const socket = connect(port, '127.0.0.1');
    const post = whole.replace('host: x', 'host: x\r\nexpect: 100-continue');
    socket.end(`GET /api/v1/jobs HTTP/1.1\r\nhost: x\r\nexpect: foo\r\n\r\n${post}`);
    const answers = await text(socket);
    expect(answers.match(/HTTP\/1\.1 \d+|"code":"expectation_failed"/g)).toEqual([
      ...['HTTP/1.1 417', '"code":"expectation_failed"', 'HTTP/1.1 100', 'HTTP/1.1 202'],
    ]);
    expect(answers).toMatch(
      /^HTTP\/1\.1 417 [\s\S]*cache-control: no-store[\s\S]*application\/problem\+json/i,
    );
  });

  test('a stop lets what is under way end, refuses what comes, and closes the connections', async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    server.use({
      insertJob: async () => {
        begun.resolve();
        await go.promise;
      },
    });
    const agent = new Agent({ keepAlive: true });
    const answered = post({ port, agent, body });
    const late = connect(port, '127.0.0.1');
    late.write(whole.slice(0, 60));
    await begun.promise;
    const closed = server.app.close();
    late.write(whole.slice(60));
    const refused = await text(late);
    expect(refused).toMatch(/^HTTP\/1.1 503 /);
    expect(refused).toMatch(/\r\nretry-after: 1\r\n/i);
    expect(refused).toContain('"code":"stopping"');
    go.resolve();
    const answer = await answered;
    expect([answer.statusCode, answer.headers.connection]).toEqual([202, 'close']);
    await closed;
    agent.destroy();
  });
});

/** What is said until the end; a server that has not read all of what is too much may end it with a reset. */
function saidBeforeClose(socket: Socket): Promise<string> {
  let said = '';
  socket.on('data', (data) => {
    said += data.toString('latin1');
  });
  socket.on('error', () => {});
  return new Promise((resolve) => void socket.once('close', () => resolve(said)));
}

function post(params: { port: number; agent: Agent; body: string }): Promise<IncomingMessage> {
  const { port, agent, body } = params;
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer jb_admin_${SECRET}`, 'content-type': 'application/json' };
    const sent = httpRequest({ port, agent, method: 'POST', path: '/api/v1/jobs', headers }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
