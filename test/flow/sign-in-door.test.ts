import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Problem, SignInLink } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ yaml: 'api: {trustedProxies: [127.0.0.1]}\n' });
});
afterAll(() => api?.stop());

/** Asks as a proxy does that was asked at `host`. */
async function ask(method: string, path: string, headers: Record<string, string>, body?: unknown) {
  const url = new URL(`/api/v1${path}`, api.http.url);
  const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
  const asked = request(
    url,
    { method, headers: { 'content-type': 'application/json', ...headers } },
    resolve,
  );
  asked.once('error', reject);
  asked.end(body === undefined ? undefined : JSON.stringify(body));
  const answer = await promise;
  const said = await text(answer);
  return {
    status: answer.statusCode,
    set: answer.headers['set-cookie'] ?? [],
    body: (said === '' ? {} : JSON.parse(said)) as Problem & SignInLink,
  };
}
const host = 'jetbeat.example.org';
const byHttps = { host, 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.5' };
const signIn = (headers: Record<string, string>) => ask('POST', '/session', headers, { key: api.key });

test('behind a proxy that ends https the cookie is for https and this host alone', async () => {
  const { status, set } = await signIn(byHttps);
  expect(status).toBe(201);
  expect(set).toEqual([
    expect.stringMatching(/^__Host-jetbeat=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
  ]);
  const cookie = (set[0] ?? '').split(';')[0] ?? '';
  const own = { ...byHttps, cookie, 'sec-fetch-site': 'same-origin' };
  expect((await ask('GET', '/session', own)).status).toBe(200);
  // Of an older browser.
  const post = (origin: string) => ask('POST', '/session/links', { ...byHttps, cookie, origin }, {});
  expect((await post(`https://${host}`)).body.url).toMatch(new RegExp(`^https://${host}/sign-in#code=`));
  for (const origin of [`http://${host}`, `https://${host}:8443`, `https://evil.${host}`, 'null'])
    expect((await post(origin)).body.code, origin).toBe('cross_site');
  // By plain http it is not read, wherever it comes from.
  expect((await ask('GET', '/session', { host, cookie })).body.code).toBe('unauthorized');
  const { body } = await ask('GET', '/audit?action=session.begin', { ...own });
  expect(body).toMatchObject({ items: [{ address: '203.0.113.5' }] });
});

test('where the way may be plain http nobody can sign in, and nothing is used up', async () => {
  const { body: link } = await ask(
    'POST',
    '/session/links',
    { ...byHttps, authorization: `Bearer ${api.key}` },
    {},
  );
  const { port } = new URL(api.http.url);
  for (const way of [
    { host },
    { host, 'x-forwarded-proto': 'http' },
    { host: `127.0.0.1:${port}` },
    { host: 'a b' },
  ]) {
    expect(await signIn(way), JSON.stringify(way)).toMatchObject({
      body: { code: 'sign_in_insecure' },
      set: [],
    });
    const followed = await ask('POST', '/session', way, { code: link.code });
    expect(followed, JSON.stringify(way)).toMatchObject({ body: { code: 'sign_in_insecure' }, set: [] });
    const made = await ask('POST', '/session/links', { ...way, authorization: `Bearer ${api.key}` }, {});
    expect(made.body.code).toBe('sign_in_insecure');
  }
  expect((await ask('POST', '/session', byHttps, { code: link.code })).status).toBe(201);
});
