import type { Session } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ProblemJson, startTestApi, type TestApi } from '../support/api.ts';
import { openBrowser } from '../support/browser.ts';
import { startProvider, type TestProvider } from '../support/oidc-provider.ts';
import { createBrowser } from '../support/page.ts';

const JSON_PLEASE = { accept: 'application/json' };
const FAILURES = 3;

let provider: TestProvider;
let api: TestApi;
let begin: string;
beforeAll(async () => {
  const backTo = 'http://127.0.0.1/api/v1/session/oidc/callback';
  provider = await startProvider({ backTo, inToken: true });
  provider.person = { sub: 'ann-1', email: 'ann@example.org', email_verified: true };
  const { issuer, clientId, clientSecret } = provider;
  const roles = [{ claim: 'email', equals: 'ann@example.org', role: 'viewer' }];
  const oidc = { issuer, clientId, clientSecret, name: 'Company login', roles };
  const rateLimits = { failures: { limit: FAILURES, period: '1h' } };
  api = await startTestApi({ yaml: JSON.stringify({ api: { rateLimits, oidc } }) });
  begin = `${api.http.url}/api/v1/session/oidc`;
});
afterAll(async () => {
  await api?.stop();
  await provider?.stop();
});

test('on this machine it needs neither https nor an address: each port has cookies of its own', async () => {
  const one = openBrowser();
  const { way } = await one.go(`${begin}?returnTo=/docs`);
  const { port } = new URL(api.http.url);
  const cookies = way.flatMap(({ url, headers }) => (url.port === port ? (headers['set-cookie'] ?? []) : []));
  const flags = 'Max-Age=\\d+; Path=/; HttpOnly; SameSite=Lax$';
  expect(cookies).toEqual([
    expect.stringMatching(`^jetbeat-${port}-attempt=[\\w-]+; ${flags}`),
    expect.stringMatching(`^jetbeat-${port}-attempt=; Max-Age=0; `),
    expect.stringMatching(`^jetbeat-${port}=[\\w-]{43}; ${flags}`),
  ]);
  const { body } = await one.go(`${api.http.url}/api/v1/session`, { headers: JSON_PLEASE });
  expect(JSON.parse(body) as Session).toMatchObject({ name: 'ann@example.org', role: 'viewer' });
});

test('who is signed in is not made somebody else by a page of another site', async () => {
  const browser = createBrowser(api.http.url);
  await browser.call('POST', '/session', { key: api.key });
  const led = (one: typeof browser, site: string) =>
    one.call('GET', '/session/oidc', undefined, { 'sec-fetch-site': site, accept: 'text/html' });
  expect((await led(browser, 'cross-site')).headers.get('location')).toBe('/sign-in');
  expect((await led(browser, 'same-site')).headers.get('location')).toBe('/sign-in');
  expect((await led(browser, 'same-origin')).headers.get('location')).toContain(provider.issuer);
  const nobody = createBrowser(api.http.url);
  expect((await led(nobody, 'cross-site')).headers.get('location')).toContain(provider.issuer);
});

test('what was signed is enough where it says all: nothing more is asked for', () => {
  expect(provider.asked).toEqual(expect.arrayContaining(['/token', '/jwks']));
  expect(provider.asked).not.toContain('/me');
});

test('the page on which people sign in is told whom with', async () => {
  const { status, body } = await openBrowser().go(`${begin.replace('/oidc', '/ways')}`, {
    headers: JSON_PLEASE,
  });
  expect([status, JSON.parse(body)]).toEqual([
    200,
    {
      key: true,
      signedIn: false,
      oidc: { name: 'Company login', url: '/api/v1/session/oidc', signOutUrl: null },
    },
  ]);
});

test('under a name that is not of this machine nobody signs in by plain http', async () => {
  const headers = { ...JSON_PLEASE, host: 'jetbeat.example.org' };
  const { status, body } = await openBrowser().go(begin, { headers });
  expect([status, (JSON.parse(body) as ProblemJson).code]).toEqual([403, 'sign_in_insecure']);
});

// The last one: from then on nobody comes back here.
test('whoever tries codes is not heard at the way back after some of them; nobody else is kept out by that', async () => {
  const notBegun = `${begin}/callback?state=x&code=y`;
  // Pages elsewhere can make a browser send these; nothing is asked of the provider then.
  for (let count = 0; count <= FAILURES; count++)
    expect((await openBrowser().go(notBegun)).url.hash).toBe('#error=sign_in_failed');
  const elsewhere = (url: URL) => url.origin === provider.issuer;
  for (let count = 0; count < FAILURES; count++) {
    const one = openBrowser();
    const { url } = await one.go(begin, { until: elsewhere });
    const brought = new URLSearchParams({ code: 'y', state: url.searchParams.get('state') ?? '' });
    brought.set('iss', provider.issuer);
    expect((await one.go(`${begin}/callback?${brought}`)).url.hash).toBe('#error=sign_in_failed');
  }
  const { status, body } = await openBrowser().go(notBegun, { headers: JSON_PLEASE });
  expect([status, (JSON.parse(body) as ProblemJson).code]).toEqual([429, 'too_many_failures']);
  expect((await openBrowser().go(begin, { until: elsewhere })).way[0]?.status).toBe(302);
  const { status: withKey } = await createBrowser(api.http.url).call('POST', '/session', { key: api.key });
  expect(withKey).toBe(201);
});
