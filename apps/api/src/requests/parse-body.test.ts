import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestServer, SECRET, type TestServer } from '../test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server.app.close());
const post = async (payload: string | Buffer, headers: Record<string, string> = {}) => {
  const answer = await server.app.inject({
    method: 'POST',
    url: '/api/v1/jobs',
    payload,
    headers: { authorization: `Bearer jb_admin_${SECRET}`, 'content-type': 'application/json', ...headers },
  });
  return {
    status: answer.statusCode,
    ...answer.json<{ code: string; detail: string; errors: object[] }>(),
  };
};
const manyKeys = (count: number) =>
  `{"task":"a","input":{${Array.from({ length: count }, (_, at) => `"k${at}":1`).join(',')}}}`;

test('a key that stands there twice is refused, wherever', async () => {
  const answer = await post('{"task":"a","input":{"x":[{"amount":1,"amount":2}]}}');
  expect(answer).toMatchObject({
    status: 400,
    code: 'invalid_request',
    errors: [{ code: 'duplicate_key' }],
  });
  expect(answer.detail).toContain('"amount" twice');
});

test('a list of many jobs may have more keys', async () => {
  const input = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`k${at}`, at]));
  const jobs = Array.from({ length: 1_000 }, () => ({ task: 'a', input }));
  expect(await server.call('POST /jobs/batch', { jobs })).toMatchObject({
    status: 202,
    body: { accepted: 1_000 },
  });
});

test('bytes that are no UTF-8 are refused: they would become others', async () => {
  expect(await post(Buffer.from('{"task":"a","input":"caf\xe9"}', 'latin1'))).toMatchObject({
    status: 400,
    code: 'malformed_request',
    detail: expect.stringContaining('no UTF-8'),
  });
  expect((await post(Buffer.from('{"task":"a","input":"café \u{1f600}"}'))).status).toBe(202);
});

test('10,000 keys, and no more', async () => {
  expect((await post(manyKeys(9_998))).status).toBe(202);
  expect(await post(manyKeys(9_999))).toMatchObject({ status: 400, errors: [{ code: 'too_many_keys' }] });
});

test('32 levels, and no more, however deep it is', async () => {
  const deep = (levels: number) => `{"task":"a","input":${'['.repeat(levels)}${']'.repeat(levels)}}`;
  expect((await post(deep(31))).status).toBe(202);
  for (const levels of [32, 500_000])
    expect(await post(deep(levels))).toMatchObject({ status: 400, errors: [{ code: 'too_deep' }] });
});

test.each([
  '{"task":"a","input":{"__proto__":{"admin":true}}}',
  '{"task":"a","input":{"constructor":{"prototype":{"admin":true}}}}',
  '{"task":"a","input":1,"meta":{"\\u005f_proto__":1}}',
])('%s: keys that would reach a prototype are refused', async (payload) => {
  expect(await post(payload)).toMatchObject({ status: 400, code: 'malformed_request' });
  expect(({} as { admin?: unknown }).admin).toBeUndefined();
});

test('nothing is unpacked', async () => {
  expect(await post('{}', { 'content-encoding': 'gzip' })).toMatchObject({
    status: 415,
    code: 'unsupported_media_type',
    detail: 'send the body as it is, without "Content-Encoding: gzip"',
  });
});

test.each([
  'text/plain',
  'application/xml',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
])('%s is no JSON: 415', async (type) => {
  expect((await post('{}', { 'content-type': type })).status).toBe(415);
});

test('null is a body, and none that may be left out', async () => {
  const { status, body } = await server.call('PUT /queues/mail', 'null', {
    'content-type': 'application/json',
  });
  expect([status, body.detail]).toEqual([400, expect.stringContaining('the body')]);
});

test('of somebody who has not said yet who it is 8 KiB are read', async () => {
  const signIn = async (length: number) => {
    const payload = `{"key":"${'x'.repeat(length)}"}`;
    const headers = { 'content-type': 'application/json', host: 'localhost' };
    const answer = await server.app.inject({ method: 'POST', url: '/api/v1/session', payload, headers });
    return { status: answer.statusCode, ...answer.json<{ code: string; detail: string }>() };
  };
  expect(await signIn(8_183)).toMatchObject({
    status: 413,
    code: 'payload_too_large',
    detail: 'the body is larger than 8192 bytes',
  });
  expect((await signIn(8_182)).status).toBe(400);
  expect(await post('x'.repeat(1_048_577))).toMatchObject({
    status: 413,
    detail: expect.stringContaining('1048576 bytes: give a reference'),
  });
});
