import type { AuditChange, EndedSessions, SessionShown, SignInWays } from '@jetbeat/core/http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Browser } from '../support/browser.ts';
import { BEGIN, HOME, type OidcSite, SESSION, startOidcSite, toldOf, whoIs } from '../support/oidc-site.ts';

const WITHIN_MS = 1_000;
const SIGN_OUT = `${BEGIN}/sign-out`;
const ANN = { sub: 'ann-1', name: 'Ann', realm_access: { roles: ['offline_access', 'ops'] } };
const BEA = { sub: 'bea-2', name: 'Bea', realm_access: { roles: ['ops'] } };
const RULES = [
  // A name with dots, as it may be: nobody says it here.
  { claim: 'realm_access.roles', equals: 'ops', role: 'admin' },
  { claim: ['realm_access', 'roles'], equals: 'ops', role: 'operator' },
];

let site: OidcSite;
beforeAll(async () => {
  site = await startOidcSite(RULES, { signOut: true });
});
afterAll(() => site?.stop());
beforeEach(() => {
  site.provider.person = ANN;
  site.ask(0);
});

async function signedIn(person: typeof ANN = ANN) {
  site.provider.person = person;
  const browser = site.browser();
  await browser.go(BEGIN);
  return { browser, id: (await whoIs(browser)).id };
}
const isIn = async (browser: Browser) => (await toldOf(browser, `${HOME}/api/v1/session`)).status === 200;
const list = async (query: string) =>
  (await site.api.http.call<{ items: SessionShown[] }>('GET', `/sessions?${query}`)).body.items;

test('what stands within a claim says who may do what', async () => {
  const { browser } = await signedIn();
  expect(await whoIs(browser)).toMatchObject({ name: 'Ann', role: 'operator', beganBy: 'oidc' });
});

test('somebody who has left: all sessions of that person end by one call, on every replica within a second', async () => {
  const [laptop, phone, bea] = [await signedIn(), await signedIn(), await signedIn(BEA)];
  const byName = await list('name=Ann&limit=200');
  expect(byName.map(({ id }) => id)).toEqual(expect.arrayContaining([laptop.id, phone.id]));
  expect(new Set(byName.map(({ subject, issuer }) => `${subject} ${issuer}`))).toEqual(
    new Set([`${ANN.sub} ${site.provider.issuer}`]),
  );
  expect((await list(`subject=${BEA.sub}`)).map(({ id }) => id)).toEqual([bea.id]);
  for (const replica of [0, 1] as const) {
    site.ask(replica);
    expect(await isIn(laptop.browser)).toBe(true);
  }
  const since = performance.now();
  const { status, body } = await site.api.http.call<EndedSessions>(
    'POST',
    '/sessions/end',
    { subject: ANN.sub },
    { 'jetbeat-reason': 'has left' },
  );
  const took = performance.now() - since;
  expect([status, body.ended]).toEqual([200, byName.length]);
  for (const replica of [0, 1] as const) {
    site.ask(replica);
    for (const { browser } of [laptop, phone]) {
      let last = 0;
      for (let asked = performance.now(); await isIn(browser); asked = performance.now())
        last = asked - since;
      expect(last).toBeLessThan(WITHIN_MS + took);
    }
    expect(await isIn(bea.browser)).toBe(true);
  }
  expect(await list(`subject=${ANN.sub}`)).toEqual([]);
  const { body: rows } = await site.api.http.call<{ items: AuditChange[] }>(
    'GET',
    `/audit?target=session:${phone.id}`,
  );
  expect(rows.items[0]).toMatchObject({
    action: 'session.revoke',
    reason: 'has left',
    actor: { kind: 'key', id: 'first' },
    after: { ended: 'revoked' },
  });
});

test('a person sees the own sessions alone', async () => {
  const [one, two, bea] = [await signedIn(), await signedIn(), await signedIn(BEA)];
  const { body } = await one.browser.go(`${HOME}/api/v1/sessions?limit=200`, {
    headers: { accept: 'application/json', 'sec-fetch-site': 'same-origin' },
  });
  const { items } = JSON.parse(body) as { items: SessionShown[] };
  expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining([one.id, two.id]));
  expect(items.map(({ id }) => id)).not.toContain(bea.id);
  expect(items.filter(({ current }) => current).map(({ id }) => id)).toEqual([one.id]);
});

test('signing out at the provider too: it asks whoever is there, leads back, and knows the browser no more', async () => {
  const { browser } = await signedIn();
  const ways = await browser.go(`${HOME}/api/v1/session/ways`, { headers: { accept: 'application/json' } });
  const { oidc } = JSON.parse(ways.body) as SignInWays;
  expect(`${HOME}${oidc?.signOutUrl}`).toBe(SIGN_OUT);
  const asked = await browser.go(SIGN_OUT);
  const [led] = asked.way;
  expect(led?.status).toBe(302);
  const to = new URL(led?.headers.location ?? '');
  expect([to.origin, Object.fromEntries(to.searchParams)]).toEqual([
    site.provider.issuer,
    { client_id: 'jetbeat', post_logout_redirect_uri: `${HOME}/sign-in` },
  ]);
  // It is the provider that asks; the session here is ended by the page, before.
  expect([asked.status, asked.url.origin]).toEqual([200, site.provider.issuer]);
  expect(await isIn(browser)).toBe(true);
  const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(asked.body) ?? [];
  const [, action = ''] = /action="([^"]+)"/.exec(asked.body) ?? [];
  const back = await browser.go(action, { form: { xsrf, logout: 'yes' } });
  expect([back.url.href, back.status]).toEqual([`${HOME}/sign-in`, 200]);
  // Else it would have gone on with Ann.
  browser.put(HOME, SESSION);
  site.provider.person = BEA;
  await browser.go(BEGIN);
  expect((await whoIs(browser)).name).toBe('Bea');
});

test('while the provider is away people are told that they are signed out here, and programs what is wrong', async () => {
  const other = await startOidcSite(RULES, { signOut: true });
  try {
    const comeBack = other.provider.goAway();
    const one = other.browser();
    expect((await one.go(SIGN_OUT)).url.href).toBe(`${HOME}/sign-in#error=signed_out_here`);
    const { status, problem } = await toldOf(one, SIGN_OUT);
    expect([status, problem.code]).toEqual([503, 'provider_unavailable']);
    comeBack();
  } finally {
    await other.stop();
  }
});

test('where the configuration does not want it nobody is led away', async () => {
  const other = await startOidcSite(RULES);
  try {
    const one = other.browser();
    const { way } = await one.go(SIGN_OUT);
    expect(way.map(({ url }) => url.href)).toEqual([SIGN_OUT, `${HOME}/sign-in`]);
    expect(other.provider.asked).toEqual([]);
  } finally {
    await other.stop();
  }
});
