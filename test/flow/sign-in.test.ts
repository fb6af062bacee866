import type { ApiKeyCreated, Problem, Session, SessionShown } from '@jetbeat/core/http';
import { revokeApiKey } from '@jetbeat/postgres';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey, secretOf } from '../support/access.ts';
import type { TestApi } from '../support/api.ts';
import { type Browser, createBrowser, who } from '../support/page.ts';
import { type SignInApi, signInSteps, startSignInApi } from '../support/sign-in-api.ts';
import { waitUntil } from '../support/wait-until.ts';

let api: TestApi;
let sql: SignInApi['sql'];
beforeAll(async () => {
  const started = await startSignInApi();
  ({ api, sql } = started);
  return started.stop;
});
const { signIn, port, audited } = signInSteps(() => api);

/** What somebody sends that is a secret. */
const SENT = `jb_known_${'z'.repeat(43)}`;

describe('with a key', () => {
  test('a browser is given what lets it in, and a program would be told who it is', async () => {
    const browser = createBrowser(api.http.url);
    const { status, body, set, headers } = await browser.call<Session>('POST', '/session', { key: api.key });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      kind: 'session',
      name: 'first key',
      role: 'admin',
      queues: null,
      payloads: true,
    });
    expect(body).toMatchObject({ beganBy: 'key', id: expect.stringMatching(/^s_[0-9a-f]{16}$/) });
    expect(Date.parse(body.expiresAt ?? '')).toBeCloseTo(Date.now() + 7 * 86_400_000, -5);
    expect(Date.parse(body.idleUntil ?? '')).toBeCloseTo(Date.now() + 8 * 3_600_000, -5);
    expect(set).toEqual([
      expect.stringMatching(
        new RegExp(`^jetbeat-${port()}=[\\w-]{43}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax$`),
      ),
    ]);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(await browser.call('GET', '/session')).toMatchObject({ status: 200, body });
    expect((await browser.call('GET', '/jobs')).status).toBe(200);
    const { body: accepted } = await browser.call(
      'POST',
      '/jobs',
      { task: 'a', input: {} },
      { 'idempotency-key': 'x' },
    );
    expect(
      await browser.call('POST', '/jobs', { task: 'a', input: {} }, { 'idempotency-key': 'x' }),
    ).toMatchObject({
      body: accepted,
      status: 202,
    });
    expect(await api.http.call('GET', '/session')).toMatchObject({
      body: { kind: 'key', id: 'first', beganBy: null, expiresAt: null, idleUntil: null },
    });
  });

  test('what is stored lets nobody in, and who it was stands in the audit', async () => {
    const browser = await signIn();
    const [token = ''] = browser.cookies.values();
    const { rows } = await sql.query('select * from session where id = $1', [browser.id]);
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(token);
    expect(JSON.stringify(rows)).not.toContain(secretOf(api.key));
    const [begun] = await audited(browser.id);
    expect(begun).toMatchObject({
      action: 'session.begin',
      actor: { kind: 'session', id: browser.id, name: 'first key', role: 'admin' },
      after: { beganBy: 'key', keyId: 'first', address: '127.0.0.1' },
    });
    expect(JSON.stringify(begun)).not.toContain(token);
  });

  test('one that is wrong, expired or revoked lets nobody in, and sets nothing', async () => {
    const { id, key: revoked } = await makeKey(api, { role: 'admin' });
    const { key: expired } = await makeKey(api, { role: 'admin', expiresIn: '1h' });
    await revokeApiKey(api.db, { id, by: 'test' });
    await sql.query("update api_key set expires_at = now() - interval '1 s' where id = $1", [
      expired.split('_')[1],
    ]);
    for (const [key, code] of [
      ['x', 'unauthorized'],
      [`jb_nobody_${'x'.repeat(43)}`, 'unauthorized'],
      [`jb_first_${'x'.repeat(43)}`, 'unauthorized'],
      [revoked, 'key_revoked'],
      [expired, 'key_expired'],
    ] as const)
      expect(await createBrowser(api.http.url).call('POST', '/session', { key }), key).toMatchObject({
        status: 401,
        body: { code },
        set: [],
      });
    const page = await (await fetch(`${api.http.url}/metrics`)).text();
    expect(page).toMatch(/jetbeat_api_sign_ins_total\{by="key",outcome="refused"\} [5-9]/);
  });

  test.each([
    [{}, '', 'invalid_value'],
    [{ key: SENT, code: SENT }, '', 'invalid_value'],
    [{ key: [SENT] }, '/key', 'invalid_type'],
    [{ code: { code: SENT } }, '/code', 'invalid_type'],
    [{ password: SENT }, '/password', 'unknown_field'],
  ])('%j is refused without repeating what was sent', async (body, pointer, code) => {
    const answer = await createBrowser(api.http.url).call<Problem>('POST', '/session', body);
    expect(answer.body).toMatchObject({ status: 400 });
    expect(answer.body.errors, JSON.stringify(answer.body)).toMatchObject([{ pointer, code }]);
    expect(JSON.stringify([answer.body, [...answer.headers]])).not.toContain(SENT);
  });

  test('it may what the key may, and no more', async () => {
    const { key } = await makeKey(api, {
      role: 'viewer',
      queues: ['mail'],
      payloads: false,
      expiresIn: '1h',
    });
    const browser = createBrowser(api.http.url);
    const { body, set } = await browser.call<Session>('POST', '/session', { key });
    expect(body).toMatchObject({ role: 'viewer', queues: ['mail'], payloads: false });
    expect(Date.parse(body.expiresAt ?? '')).toBeCloseTo(Date.now() + 3_600_000, -5);
    expect(Number(/Max-Age=(\d+)/.exec(set[0] ?? '')?.[1])).toBeLessThanOrEqual(3_600);
    expect((await browser.call<Problem>('GET', '/api-keys')).body.code).toBe('forbidden');
    expect((await browser.call<Problem>('GET', '/jobs?meta.a=b')).body.code).toBe('payloads_hidden');
    expect((await browser.call<Problem>('GET', '/queues/default')).body.code).toBe('queue_not_found');
  });
});

test('a session is not begun by a page of another site', async () => {
  const ask = (headers: Record<string, string>) =>
    createBrowser(api.http.url).call<Problem>('POST', '/session', { key: api.key }, headers);
  for (const site of ['cross-site', 'same-site', 'none'])
    expect(await ask({ 'sec-fetch-site': site }), site).toMatchObject({
      body: { code: 'cross_site' },
      set: [],
    });
  const response = await fetch(`${api.http.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'https://evil.example' },
    body: JSON.stringify({ key: api.key }),
  });
  expect(await response.json()).toMatchObject({ code: 'cross_site' });
});

test('a request with the cookie counts only from a page of this API', async () => {
  const browser = await signIn();
  const ask = async (method: string, headers: Record<string, string>) =>
    (
      await browser.call<Problem>(
        method,
        '/jobs',
        method === 'GET' ? undefined : { task: 'a', input: {} },
        headers,
      )
    ).status;
  for (const site of ['cross-site', 'same-site', 'none'])
    expect(await ask('POST', { 'sec-fetch-site': site }), site).toBe(403);
  expect(await ask('POST', {})).toBe(202);
  expect(await ask('GET', { 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await ask('GET', { 'sec-fetch-site': 'none' })).toBe(200);
  // A key needs none of that, and goes before the cookie.
  const authorization = `Bearer ${api.key}`;
  expect(await ask('POST', { 'sec-fetch-site': 'cross-site', authorization })).toBe(202);
  expect(await ask('GET', { authorization: 'Bearer x' })).toBe(401);
  browser.cookies.set(` jetbeat-${port()}`, 'x');
  expect(await ask('GET', {})).toBe(400);
});

test('an admin sees who is signed in; one for some queues only those of these', async () => {
  const { key } = await makeKey(api, { role: 'admin', queues: ['sms'] });
  const few = await signIn(key);
  const all = await signIn();
  const list = async (browser: Browser) =>
    (await browser.call<{ items: SessionShown[] }>('GET', '/sessions?limit=200')).body.items;
  const seen = await list(all);
  expect(seen.find(({ id }) => id === all.id)).toMatchObject({
    current: true,
    keyId: 'first',
    beganBy: 'key',
  });
  expect(seen.find(({ id }) => id === few.id)).toMatchObject({ current: false, queues: ['sms'] });
  expect(JSON.stringify(seen)).not.toMatch(/hash|token/i);
  expect((await list(few)).map(({ id }) => id)).toEqual([few.id]);
  const [there, nowhere] = await Promise.all(
    [all.id, 's_0123456789abcdef'].map((id) => few.call<Problem>('DELETE', `/sessions/${id}`)),
  );
  expect(there).toMatchObject({ status: 404, body: { code: 'session_not_found' } });
  expect(nowhere).toMatchObject({ status: 404, body: { code: 'session_not_found' } });
  expect(await who(all)).toBe(all.id);
  const reason = { 'jetbeat-reason': 'left' };
  expect((await all.call('DELETE', `/sessions/${few.id}`, undefined, reason)).status).toBe(204);
  expect(await audited(few.id)).toMatchObject([
    { action: 'session.revoke', reason: 'left', actor: { kind: 'session', id: all.id } },
    { action: 'session.begin' },
  ]);
});

test('each use is noted, to the minute', async () => {
  const browser = await signIn();
  await sql.query("update session set seen_at = seen_at - interval '1 h' where id = $1", [browser.id]);
  await browser.call('GET', '/jobs');
  await waitUntil('it is noted', async () => {
    const { rows } = await sql.query(
      "select 1 from session where id = $1 and seen_at > now() - interval '1 min'",
      [browser.id],
    );
    return rows.length > 0 || undefined;
  });
});

test('a key that somebody makes who is signed in lasts beyond the session, unless the own key ends', async () => {
  const forever = await signIn();
  const body = { name: 'n', role: 'viewer' };
  expect((await forever.call<ApiKeyCreated>('POST', '/api-keys', body)).body).toMatchObject({
    createdBy: forever.id,
    expiresAt: null,
  });
  const short = await signIn((await makeKey(api, { role: 'admin', expiresIn: '1h' })).key);
  expect((await short.call<Problem>('POST', '/api-keys', body)).body.code).toBe('key_exceeds_maker');
});

test('what a browser calls itself is kept cut, and without what is not seen', async () => {
  const browser = createBrowser(api.http.url);
  const agent = `Mozilla\u00ad\u0085/5.0 ${'x'.repeat(400)}`;
  await browser.call('POST', '/session', { key: api.key }, { 'user-agent': agent });
  const { body } = await browser.call<{ items: SessionShown[] }>('GET', '/sessions?whose=own&limit=200');
  const shown = body.items.find(({ current }) => current)?.userAgent;
  expect(shown).toMatch(/^Mozilla\/5\.0 x+$/);
  expect(shown).toHaveLength(256);
});
