import type { Problem, Session, SessionShown, SignInLink } from '@jetbeat/core/http';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../support/access.ts';
import type { TestApi } from '../support/api.ts';
import type { Http } from '../support/http.ts';
import { countLateness } from '../support/lateness.ts';
import { type Browser, createBrowser, lastIn, sameAt, who } from '../support/page.ts';
import { type SignInApi, signInSteps, startSignInApi } from '../support/sign-in-api.ts';

/** How long anything may go on after it was ended, milliseconds. */
const WITHIN_MS = 1_000;

let api: TestApi;
let beside: Http;
let sql: SignInApi['sql'];
beforeAll(async () => {
  const started = await startSignInApi();
  ({ api, sql } = started);
  beside = await api.beside();
  return started.stop;
});
const { signIn, port, audited } = signInSteps(() => api);

describe('a new session', () => {
  test('never has a token that the browser brought, and the one that it brought is over everywhere', async () => {
    const [fixed, browser] = [createBrowser(api.http.url), await signIn()];
    const planted = 'p'.repeat(43);
    fixed.cookies.set(`jetbeat-${port()}`, planted);
    await fixed.call('POST', '/session', { key: api.key });
    expect(fixed.cookies.get(`jetbeat-${port()}`)).toMatch(/^[\w-]{43}$/);
    expect(fixed.cookies.get(`jetbeat-${port()}`)).not.toBe(planted);
    const before = createBrowser(api.http.url, new Map(browser.cookies));
    expect(await who(sameAt(beside.url, before))).toBe(browser.id);
    const since = performance.now();
    await browser.call('POST', '/session', { key: api.key });
    expect(await who(before)).toBe('session_ended');
    expect(await lastIn(sameAt(beside.url, before), since)).toBeLessThan(WITHIN_MS);
    expect(await audited(browser.id)).toMatchObject([
      { action: 'session.end', after: { ended: 'replaced' } },
      {},
    ]);
  });
});

describe('a session that is over', () => {
  /** A stream of events, and when it ended. */
  async function listen(browser: Browser) {
    const stop = new AbortController();
    const response = await browser.stream('/events', stop.signal);
    expect(response.status).toBe(200);
    const ended = response.text().then(() => performance.now());
    return { ended, stop: () => stop.abort() };
  }

  test.each([
    ['by an admin', ({ id }: { id: string }) => api.http.call('DELETE', `/sessions/${id}`)],
    ['by its key', ({ keyId }: { keyId: string }) => api.http.call('DELETE', `/api-keys/${keyId}`)],
    ['by time', ({ id }: { id: string }) => put(id, "expires_at = clock_timestamp() - interval '1 s'")],
    ['by doing nothing', ({ id }: { id: string }) => put(id, "seen_at = clock_timestamp() - interval '9 h'")],
  ])('%s lets nobody in within a second, on every API, and its streams end', async (_, end) => {
    const { id: keyId, key } = await makeKey(api, { role: 'viewer' });
    const browser = await signIn(key);
    const other = sameAt(beside.url, browser);
    expect([await who(browser), await who(other)]).toEqual([browser.id, browser.id]);
    const streams = [await listen(browser), await listen(other)];
    const [since, late] = [performance.now(), countLateness()];
    await end({ id: browser.id, keyId });
    const ended = performance.now();
    for (const last of await Promise.all([lastIn(browser, since), lastIn(other, since)]))
      expect(last).toBeLessThan(WITHIN_MS + ended - since);
    for (const stream of streams) expect((await stream.ended) - ended).toBeLessThan(WITHIN_MS + late());
    expect([await who(browser), await who(other)]).toEqual(['session_ended', 'session_ended']);
    const { body } = await api.http.call<{ items: SessionShown[] }>('GET', '/sessions?limit=200');
    expect(body.items.map(({ id }) => id)).not.toContain(browser.id);
  });

  const put = (id: string, what: string) => sql.query(`update session set ${what} where id = $1`, [id]);

  test('by signing out: here at once, elsewhere within a second; the cookie goes, and again nothing happens', async () => {
    const browser = await signIn();
    const before = createBrowser(api.http.url, new Map(browser.cookies));
    const since = performance.now();
    const { status, set } = await browser.call('DELETE', '/session');
    expect(status).toBe(204);
    expect(set).toEqual([
      expect.stringMatching(new RegExp(`^jetbeat-${port()}=; Max-Age=0; Path=/;.*HttpOnly`)),
    ]);
    expect(browser.cookies.size).toBe(0);
    expect(await who(before)).toBe('session_ended');
    expect(await lastIn(sameAt(beside.url, before), since)).toBeLessThan(WITHIN_MS);
    expect((await before.call('DELETE', '/session')).status).toBe(204);
    expect((await browser.call('DELETE', '/session')).status).toBe(204);
    expect((await api.http.call<Problem>('DELETE', '/session')).body.code).toBe('no_session');
    expect((await audited(browser.id)).map(({ action }) => action)).toEqual(['session.end', 'session.begin']);
  });

  test('is not signed out by a page of another site', async () => {
    const browser = await signIn();
    const asked = await browser.call<Problem>('DELETE', '/session', undefined, {
      'sec-fetch-site': 'cross-site',
    });
    expect(asked).toMatchObject({ status: 403, body: { code: 'cross_site' }, set: [] });
    expect(await who(browser)).toBe(browser.id);
  });
});

describe('a link', () => {
  const make = (http: Pick<Browser, 'call'> | Http = api.http) =>
    http.call<SignInLink & Problem>('POST', '/session/links', {});
  const follow = (code: string, browser = createBrowser(api.http.url)) =>
    browser.call<Session & Problem>('POST', '/session', { code });

  test('signs in once, whoever of two is first, and what is behind # goes nowhere', async () => {
    const { status, body } = await make();
    expect(status).toBe(201);
    expect(body.url).toBe(`${api.http.url}/sign-in#code=${body.code}`);
    expect(Date.parse(body.expiresAt) - Date.now()).toBeLessThanOrEqual(600_000);
    const { rows } = await sql.query('select * from session_link');
    expect(JSON.stringify(rows)).not.toContain(body.code);
    const both = await Promise.all([follow(body.code), follow(body.code)]);
    expect(both.map((each) => each.status).sort()).toEqual([201, 401]);
    const [won] = both.filter((each) => each.status === 201);
    expect(won?.body).toMatchObject({ beganBy: 'link', role: 'admin', name: 'first key' });
    expect((await follow(body.code)).body.code).toBe('unauthorized');
    expect((await follow('x'.repeat(43))).body.code).toBe('unauthorized');
  });

  test('is told once, also to who repeats the request with its Idempotency-Key', async () => {
    const ask = () => api.http.call<Problem>('POST', '/session/links', {}, { 'idempotency-key': 'link' });
    expect((await ask()).status).toBe(201);
    expect((await ask()).body.code).toBe('told_once');
  });

  test('of a session lets no more in than that, ends with it, and makes no links itself', async () => {
    const { key } = await makeKey(api, { role: 'viewer', queues: ['mail'] });
    const browser = await signIn(key);
    const { body: link } = await make(browser);
    const phone = createBrowser(api.http.url);
    expect((await follow(link.code, phone)).body).toMatchObject({ role: 'viewer', queues: ['mail'] });
    expect((await make(phone)).body.code).toBe('forbidden');
    expect((await phone.call('GET', '/jobs')).status).toBe(200);
    const since = performance.now();
    await browser.call('DELETE', '/session');
    expect(await lastIn(phone, since)).toBeLessThan(WITHIN_MS);
  });

  test('of a session that follows it itself begins nothing that would outlast it', async () => {
    const browser = await signIn();
    const [token] = browser.cookies.values();
    const { body: link } = await make(browser);
    const { status, body, set } = await follow(link.code, browser);
    expect([status, body.id, set]).toEqual([201, browser.id, []]);
    expect([...browser.cookies.values()]).toEqual([token]);
    expect((await follow(link.code)).body.code).toBe('unauthorized');
    await api.http.call('DELETE', `/sessions/${browser.id}`);
    expect(await who(browser)).toBe('session_ended');
    expect((await audited(browser.id)).map(({ action }) => action)).toEqual([
      'session.revoke',
      'session.begin',
    ]);
  });

  test('is nothing to follow any more when its key is taken back', async () => {
    const { id, key } = await makeKey(api, { role: 'admin' });
    const { body } = await make(api.as(key));
    await api.http.call('DELETE', `/api-keys/${id}`);
    expect((await follow(body.code)).body.code).toBe('unauthorized');
  });
});
