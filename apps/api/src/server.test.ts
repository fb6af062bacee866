import { connect, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { DatabaseUnavailableError } from '@jetbeat/postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestServer, SECRET, type TestServer } from './test-server.ts';

interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly summary?: string }>>>>;
}

const ID = '0190b5a0-7c00-7000-8000-000000000000';
let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
beforeEach(() => server.use({}));
afterAll(() => server.app.close());

test('the description is OpenAPI 3.1 and as committed', async () => {
  const { body } = await server.call<Description>('GET /openapi.json');
  expect(body.openapi).toBe('3.1.0');
  for (const [path, methods] of Object.entries(body.paths)) {
    for (const [method, { summary }] of Object.entries(methods))
      expect(summary, `${method} ${path}`).toBeTruthy();
  }
  await expect(`${JSON.stringify(body, null, 2)}\n`).toMatchFileSnapshot(
    resolve(import.meta.dirname, '../../../docs/openapi.json'),
  );
});

test('the reference loads nothing from elsewhere, and the root leads to it', async () => {
  const root = await server.app.inject('/');
  expect([root.statusCode, root.headers.location]).toEqual([302, '/docs']);
  const page = await server.app.inject('/docs/');
  expect(page.statusCode).toBe(200);
  expect(page.body).not.toMatch(/(src|href)="https?:/);
  expect(page.body).toContain('<title>Jetbeat API</title>');
  const security = page.headers['content-security-policy'];
  expect(security).toContain("default-src 'none'; script-src 'self';");
  expect(security).not.toMatch(/https|upgrade-insecure/);
});

describe('keys', () => {
  test.each([
    ['no key', {}],
    ['no form', { authorization: 'Bearer hello' }],
    ['another scheme', { authorization: `Basic jb_admin_${SECRET}` }],
    ['a wrong secret', { authorization: `Bearer jb_admin_${'x'.repeat(43)}` }],
    ['an unknown id', { authorization: `Bearer jb_nobody_${SECRET}` }],
  ])('%s: 401', async (_name, headers) => {
    const answer = await server.call('GET /jobs', undefined, { authorization: '', ...headers });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="jetbeat"');
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body).toMatchObject({
      code: 'unauthorized',
      status: 401,
      instance: '/api/v1/jobs',
      errors: [],
      detail: expect.stringMatching(/\.jetbeat\/admin\.key .* JETBEAT_API_KEY$/),
    });
  });

  test.each([`jb_admin_${SECRET}`, 'Bearer ', 'Basic YTpi'])(
    '%s: told how a key is sent',
    async (authorization) => {
      const { status, body } = await server.call('GET /jobs', undefined, { authorization });
      expect([status, (body as { detail: string }).detail]).toEqual([
        401,
        expect.stringContaining('send the API key in the header "Authorization: Bearer jb_…"'),
      ]);
    },
  );

  test('PostgreSQL away: 503, and when to come again', async () => {
    const answer = await server.call(
      'POST /jobs',
      { task: 'a', input: 1 },
      {
        authorization: `Bearer jb_away_${SECRET}`,
      },
    );
    expect(answer.body).toMatchObject({ code: 'database_unavailable', status: 503 });
    expect(answer.headers['retry-after']).toBe('2');
  });
});

test('PostgreSQL stops answering on the way: the job may be there, and under which id', async () => {
  let id = '';
  server.use({
    insertJob: async ({ envelope }) => {
      id = envelope.id;
      throw new DatabaseUnavailableError('gone');
    },
  });
  const { body } = await server.call('POST /jobs', { task: 'a', input: 1 });
  expect(body).toMatchObject({ code: 'database_unavailable', detail: expect.stringContaining(id) });
});

describe('what is asked for', () => {
  test.each([
    ['a search for what is not known', '/jobs?search=stat:dead', '?search', 'unknown_qualifier'],
    ['an unknown state', '/jobs?state=queued&state=lost', '?state', 'invalid_value'],
    ['too many', '/jobs?limit=1000000000', '?limit', 'invalid_value'],
    ['less than none', '/jobs?limit=-1', '?limit', 'invalid_value'],
    ['an option of another route', '/jobs/x?search=a', '?search', 'unknown_field'],
    ['more than a page', '/jobs?limit=201', '?limit', 'invalid_value'],
    ['a time that is none', '/jobs?from=yesterday', '?from', 'invalid_value'],
    ['a filter given twice', '/jobs?task=a&task=b', '?task', 'invalid_type'],
  ])('%s: 400', async (_name, path, pointer, code) => {
    const answer = await server.call(`GET ${path}`);
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_request', errors: [{ pointer, code }] });
  });

  test('several values in one parameter: how they are written', async () => {
    const answer = await server.call('GET /jobs?state=parked,queued');
    expect(answer.body.errors).toMatchObject([
      {
        pointer: '?state',
        suggestion: 'state=parked&state=queued',
        message: expect.stringContaining('repeat the parameter'),
      },
    ]);
  });

  test('one of several values of a parameter: which one is wrong', async () => {
    const answer = await server.call('GET /jobs?state=queued&state=deed');
    expect(answer.body.errors).toMatchObject([{ pointer: '?state', suggestion: 'dead' }]);
    expect(answer.body.detail).toMatch(/^\?state: "deed" must be one of .*did you mean "dead"\?$/);
  });

  test.each([
    ['idempotency-key', 'PUT /queues/q'],
    ['If-Match', 'POST /jobs'],
    ['If-None-Match', 'POST /schedules'],
    ['If-None-Match', 'PATCH /queues/q'],
    ['If-Unmodified-Since', 'PUT /schedules/a'],
    ['Jetbeat-Reason', 'POST /jobs'],
    ['Jetbeat-Reason', 'POST /jobs/batch'],
    ['Jetbeat-Reason', 'POST /schedules/preview'],
    ['Jetbeat-Reason', 'GET /jobs'],
  ])('the header %s has no effect there, and is refused', async (name, request) => {
    const body = request.startsWith('GET') ? undefined : { task: 'a', input: 1 };
    const answer = await server.call(request, body, { [name]: 'x' });
    expect(answer.body).toMatchObject({
      status: 400,
      code: 'invalid_request',
      errors: [{ pointer: name.toLowerCase(), code: 'unknown_field' }],
    });
  });

  test('a body of a DELETE is read by nobody, and is refused with the place for what it says', async () => {
    const { body } = await server.call('DELETE /schedules/a', { reason: 'x', version: 3, 'odd/~': 1 });
    const code = 'unknown_field';
    expect(body).toMatchObject({
      status: 400,
      code: 'invalid_request',
      errors: [
        { pointer: '/reason', code, suggestion: 'the header Jetbeat-Reason' },
        { pointer: '/version', code, suggestion: 'the header If-Match' },
        { pointer: '/odd~1~0', code },
      ],
    });
    const list = await server.call('DELETE /dead-letters/a', ['x']);
    expect(list.body).toMatchObject({ status: 400, errors: [{ pointer: '', code }] });
    // It says nothing, and many clients send it with every request.
    expect((await server.call('DELETE /schedules/a%20b', {})).status).toBe(404);
  });

  test('If-None-Match is * where something is made, else it is refused; whoever reads may send it', async () => {
    const put = await server.call('PUT /queues/q', {}, { 'if-none-match': '"3"' });
    expect(put.body).toMatchObject({ status: 400, errors: [{ pointer: 'if-none-match' }] });
    const get = await server.call('GET /jobs/a', undefined, { 'if-none-match': '"3"' });
    expect(get.body).toMatchObject({ status: 404 });
  });

  test('so is what is no option of a route at all', async () => {
    const answer = await server.call('POST /jobs?waits=10s', { task: 'a', input: 1 });
    expect(answer.body).toMatchObject({
      status: 400,
      errors: [{ pointer: '?waits', code: 'unknown_field' }],
    });
  });

  const written = (place: unknown) => Buffer.from(JSON.stringify(place)).toString('base64url');
  test.each([
    'x',
    'e30',
    'eyJpZCI6IjEifQ',
    written([]),
    written({ id: { toString: 1 } }),
    written({ id: [ID] }),
  ])('the cursor %s: 400', async (cursor) => {
    const answer = await server.call(`GET /jobs?cursor=${cursor}`);
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_cursor' });
  });

  test.each([
    ['GET /jobs/nonsense', 'job_not_found'],
    ['POST /jobs/nonsense/cancel', 'job_not_found'],
    ['GET /schedules/a%00b', 'route_not_found'],
    ['DELETE /schedules/a%20b', 'schedule_not_found'],
    ['GET /jobs/a/b/c', 'route_not_found'],
    ['GET /nowhere', 'route_not_found'],
  ])('%s: 404', async (request, code) => {
    expect((await server.call(request)).body).toMatchObject({ status: 404, code });
  });

  test('what fails inside says so, tells nothing, and is logged', async () => {
    server.use({ fleet: () => Promise.reject(new Error('inside: secret')) });
    const answer = await server.call('POST /jobs', { task: 'a', input: 1 });
    expect(answer.body).toMatchObject({ status: 500, code: 'internal_error' });
    expect(JSON.stringify(answer.body)).not.toContain('inside');
    expect(server.lines).toContainEqual(
      expect.objectContaining({ level: 'error', traceId: answer.body.traceId }),
    );
  });
});

test('what cannot be read as a request is answered as a problem too', async () => {
  expect((await server.call('GET /jobs/%zz')).body).toMatchObject({ status: 400, code: 'malformed_request' });
  expect((await server.call(`GET /jobs/${'x'.repeat(600)}`)).status).toBe(400);
  const { port } = new URL(await server.app.listen({ host: '127.0.0.1', port: 0 }));
  const socket = connect(Number(port), '127.0.0.1');
  socket.end('no http\r\n\r\n');
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1.1 400 Bad Request\r\ncontent-type: application\/problem\+json/);
  expect(answer).toContain("\r\ncontent-security-policy: default-src 'none'; frame-ancestors 'none'\r\n");
  expect(answer).toContain('\r\ncache-control: no-store\r\n');
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ code: 'malformed_request' });
  server.lines.length = 0;
  const half = connect(Number(port), '127.0.0.1');
  half.end(
    `POST /api/v1/jobs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer jb_admin_${SECRET}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`,
  );
  await expect.poll(() => server.lines).toMatchObject([{ level: 'info', code: 'malformed_request' }]);
  const long = await fetch(`http://127.0.0.1:${port}/jobs/${'x'.repeat(20_000)}`);
  expect(await long.json()).toMatchObject({ status: 431, code: 'headers_too_large' });
});

test('a request that does not arrive whole in time is ended with 408', async () => {
  const { headersTimeout, requestTimeout } = server.app.server;
  expect(headersTimeout).toBeLessThan(requestTimeout);
  const socket = new PassThrough();
  const late = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
  server.app.server.emit('clientError', late, socket as unknown as Socket);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1.1 408 Request Timeout/);
  expect(JSON.parse(body)).toMatchObject({ status: 408, code: 'request_timeout' });
});

test('readyz is open, and tells each check', async () => {
  server.use({ ready: () => [{ name: 'nats', ok: false, detail: 'away' }] });
  const answer = await server.call('GET /readyz', undefined, { authorization: '' });
  expect([answer.status, answer.body]).toEqual([
    503,
    { ok: false, checks: [{ name: 'nats', ok: false, detail: 'away' }] },
  ]);
  expect((await server.call('GET /livez')).status).toBe(200);
});
