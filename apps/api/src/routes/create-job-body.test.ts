import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
beforeEach(() => server.use({}));
afterAll(() => server.app.close());

test('an integer that JavaScript would round is refused, with its place and what to do', async () => {
  const payload = '{"task":"a.b","input":{"accounts":[1,9007199254740993]}}';
  const headers = { 'content-type': 'application/json' };
  const answer = await server.call('POST /jobs', payload, headers);
  expect(answer.status).toBe(422);
  expect(answer.body).toMatchObject({
    code: 'invalid_input',
    errors: [
      {
        pointer: '/input/accounts/1',
        code: 'invalid_number',
        message: expect.stringContaining('send it as a string'),
      },
    ],
  });
  const text = { task: 'a.b', input: { accounts: ['9007199254740993'] } };
  expect((await server.call('POST /jobs', text)).status).toBe(202);
});

test('nesting without end: 400', async () => {
  const input = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const answer = await server.call('POST /jobs', `{"task":"a","input":${input}}`, {
    'content-type': 'application/json',
  });
  expect(answer.body).toMatchObject({ status: 400, errors: [{ code: 'too_deep' }] });
});

test('a body that is no JSON, poisons prototypes, or is none: its clear error', async () => {
  const json = { 'content-type': 'application/json' };
  expect((await server.call('POST /jobs', '{"task": "a",}', json)).body).toMatchObject({
    code: 'malformed_request',
    status: 400,
    detail: expect.stringMatching(/^the body is no JSON: .*position 13/),
  });
  expect((await server.call('POST /jobs', '{"__proto__":{}}', json)).body).toMatchObject({
    code: 'malformed_request',
    status: 400,
    detail: expect.stringMatching(/^the body has a key "__proto__"/),
  });
  // Nothing at all under that header is no body, which is fine where none is needed.
  expect((await server.call('POST /jobs', '', json)).body).toMatchObject({ code: 'invalid_request' });
  expect((await server.call('POST /jobs/x/cancel', '', json)).body).toMatchObject({
    code: 'job_not_found',
  });
  expect((await server.call('DELETE /schedules/a%20b', '', json)).body).toMatchObject({
    code: 'schedule_not_found',
  });
  expect((await server.call('POST /jobs', 'x=1', { 'content-type': 'text/plain' })).body).toMatchObject({
    code: 'unsupported_media_type',
  });
  expect((await server.call('POST /jobs')).body).toMatchObject({ code: 'invalid_request', status: 400 });
});
