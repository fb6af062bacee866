import type { AuditChange } from '@jetbeat/core/http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Browser } from '../support/browser.ts';
import {
  ATTEMPT,
  BEGIN,
  HOME,
  isBack,
  type OidcSite,
  SESSION,
  startOidcSite,
  toldOf,
  upToBack,
  whoIs,
} from '../support/oidc-site.ts';

const ANN = { sub: 'ann-1', name: 'Ann', groups: ['all', 'ops'] };
const BEA = { sub: 'bea-2', email: 'bea@example.org', email_verified: true };
const RULES = [
  { claim: 'groups', equals: 'bosses', role: 'admin' },
  { claim: 'groups', equals: 'ops', role: 'operator', queues: ['mail'], payloads: false },
  { claim: 'email', equals: BEA.email, role: 'viewer' },
  { claim: 'preferred_username', equals: 'cid', role: 'admin' },
];

let site: OidcSite;
beforeAll(async () => {
  site = await startOidcSite(RULES);
});
afterAll(() => site?.stop());
beforeEach(() => {
  site.provider.person = ANN;
  site.ask(0);
});

test('the whole way: to the provider and back, signed in, at the page where it was to lead', async () => {
  const one = site.browser();
  const { way, url, status } = await one.go(`${BEGIN}?returnTo=/docs`);
  expect([url.href, status]).toEqual([`${HOME}/docs`, 200]);
  expect(one.cookies(HOME).has(ATTEMPT)).toBe(false);
  expect(await whoIs(one)).toMatchObject({
    kind: 'session',
    name: 'Ann',
    role: 'operator',
    queues: ['mail'],
    payloads: false,
    beganBy: 'oidc',
  });
  const [begun, ...after] = way;
  expect(Object.fromEntries(new URL(begun?.headers.location ?? '').searchParams)).toMatchObject({
    response_type: 'code',
    client_id: 'jetbeat',
    redirect_uri: `${BEGIN}/callback`,
    code_challenge_method: 'S256',
    state: expect.stringMatching(/^.{43}$/),
    nonce: expect.stringMatching(/^.{43}$/),
    code_challenge: expect.stringMatching(/^.{43}$/),
  });
  const flags = (cookie: string) =>
    `^${cookie}=[\\w-]+; Max-Age=\\d+; Path=/; HttpOnly; Secure; SameSite=Lax$`;
  expect(begun?.headers['set-cookie']).toEqual([expect.stringMatching(flags(ATTEMPT))]);
  const back = after.find((step) => isBack(step.url));
  expect(back?.headers['set-cookie']).toContainEqual(expect.stringMatching(flags(SESSION)));
  expect(back?.headers).toMatchObject({ 'cache-control': 'no-store', location: '/docs' });
});

test('another replica ends what one has begun', async () => {
  const one = site.browser();
  const back = await upToBack(one);
  site.ask(1);
  const { status, url } = await one.go(back.href);
  expect([new URL(url).origin, status]).toEqual([HOME, 200]);
  expect((await whoIs(one)).name).toBe('Ann');
});

test('the audit knows who it was at the provider, and has nothing that the provider gave', async () => {
  const one = site.browser();
  const back = await upToBack(one);
  await one.go(back.href);
  const { id } = await whoIs(one);
  const { body } = await site.api.http.call<{ items: AuditChange[] }>(
    'GET',
    '/audit?action=session.begin&limit=100',
  );
  const row = body.items.find(({ target }) => target.id === id);
  expect(row).toMatchObject({
    actor: { kind: 'session', id, name: 'Ann' },
    after: { beganBy: 'oidc', issuer: site.provider.issuer, subject: ANN.sub },
  });
  expect(JSON.stringify(row)).not.toContain(back.searchParams.get('code'));
});

test.each([
  [BEA, 'viewer'],
  [{ sub: 'c', groups: ['all', 'bosses', 'ops'] }, 'admin'],
  [{ sub: 'c', groups: 'bosses' }, 'admin'],
  [{ sub: 'c', preferred_username: 'cid' }, 'admin'],
])('by what the provider says of %j: %s', async (person, role) => {
  site.provider.person = person;
  const one = site.browser();
  await one.go(BEGIN);
  expect(await whoIs(one)).toMatchObject({ role, queues: null, payloads: true });
});

test.each([
  [{ ...BEA, email_verified: false }],
  [{ sub: 'd', email: BEA.email }],
  [{ sub: 'd', groups: ['bosses-of-others', 'BOSSES'] }],
  [{ sub: 'd', groups: 'all,bosses' }],
  [{ sub: 'bosses' }],
])('whom no rule fits is not let in, and what would help is said: %j', async (person) => {
  site.provider.person = person;
  const one = site.browser();
  const { url, way } = await one.go(BEGIN);
  expect(url.href).toBe(`${HOME}/sign-in#error=not_invited`);
  expect(way.find((step) => isBack(step.url))?.status).toBe(303);
  expect([...one.cookies(HOME).keys()]).toEqual([]);
  const { status, problem } = await toldOf(one, await upToBack(one));
  expect([status, problem.code]).toEqual([403, 'not_invited']);
  expect(problem.detail).toMatch(/^Company login knows you as ".+", but .* a rule in api\.oidc\.roles$/);
});

const REFUSED = [400, 'sign_in_failed'];
const outcome = async (one: Browser, url: URL) => {
  const { status, problem } = await toldOf(one, url);
  expect(one.cookies(HOME).has(SESSION)).toBe(false);
  return [status, problem.code];
};

test('a way back that was begun in another browser signs nobody in: not as somebody else either', async () => {
  const attacker = site.browser();
  const back = await upToBack(attacker);
  expect(await outcome(site.browser(), back)).toEqual(REFUSED);
  const victim = site.browser();
  await upToBack(victim);
  expect(await outcome(victim, back)).toEqual(REFUSED);
  // What the victim has begun itself it can still end.
  expect(victim.cookies(HOME).has(ATTEMPT)).toBe(true);
});

test('the same way back a second time is refused, by this server and by the provider', async () => {
  const one = site.browser();
  const back = await upToBack(one);
  const kept = one.cookies(HOME).get(ATTEMPT);
  await one.go(back.href);
  one.put(HOME, SESSION);
  expect(await outcome(one, back)).toEqual(REFUSED);
  one.put(HOME, ATTEMPT, kept);
  expect(await outcome(one, back)).toEqual(REFUSED);
});

test.each<[string, (url: URL) => void]>([
  ['another state', (url) => url.searchParams.set('state', 'x'.repeat(43))],
  ['no state', (url) => url.searchParams.delete('state')],
  ['another provider', (url) => url.searchParams.set('iss', 'https://evil.example')],
  ['no provider', (url) => url.searchParams.delete('iss')],
  ['another code', (url) => url.searchParams.set('code', 'x'.repeat(43))],
  ['no code', (url) => url.searchParams.delete('code')],
  ['a token beside', (url) => url.searchParams.set('id_token', 'a.b.c')],
])('a way back with %s is refused', async (_name, change) => {
  const one = site.browser();
  const back = await upToBack(one);
  change(back);
  expect(await outcome(one, back)).toEqual(REFUSED);
});

test('a state twice is no state', async () => {
  const one = site.browser();
  const back = await upToBack(one);
  back.searchParams.append('state', back.searchParams.get('state') ?? '');
  expect(await outcome(one, back)).toEqual([400, 'invalid_request']);
});

test.each(['nonce', 'code_challenge'])(
  'where the %s was changed on the way the answer is not taken',
  async (name) => {
    const one = site.browser();
    const { url } = await one.go(BEGIN, { until: ({ origin }) => origin === site.provider.issuer });
    url.searchParams.set(name, 'a'.repeat(43));
    expect(await outcome(one, await upToBack(one, url.href))).toEqual(REFUSED);
  },
);

test('what the browser keeps cannot be changed, nor made', async () => {
  const one = site.browser();
  const back = await upToBack(one);
  const kept = one.cookies(HOME).get(ATTEMPT) ?? '';
  // Its last letters hold bits that say nothing, or may be these already.
  const middle = Math.floor(kept.length / 2);
  const other = kept[middle] === 'A' ? 'B' : 'A';
  one.put(HOME, ATTEMPT, `${kept.slice(0, middle)}${other}${kept.slice(middle + 1)}`);
  expect(await outcome(one, back)).toEqual(REFUSED);
  const { state, nonce } = { state: back.searchParams.get('state'), nonce: 'n' };
  one.put(HOME, ATTEMPT, Buffer.from(JSON.stringify({ state, nonce })).toString('base64url'));
  expect(await outcome(one, back)).toEqual(REFUSED);
});

test('whoever refuses at the provider is led to the page that says so, without a word of the provider', async () => {
  site.provider.person = undefined;
  const one = site.browser();
  const back = await upToBack(one);
  expect(back.searchParams.get('error')).toBe('access_denied');
  const { status, problem } = await toldOf(one, back);
  expect([status, problem.code]).toEqual([403, 'sign_in_refused']);
  expect(problem.detail).toContain('(access_denied)');
  expect(JSON.stringify(problem)).not.toContain('script');
  expect((await site.browser().go(BEGIN)).url.href).toBe(`${HOME}/sign-in#error=sign_in_refused`);
});

test('while the provider is away nobody is let in, it is said, and afterwards it goes on', async () => {
  const one = site.browser();
  const back = await upToBack(one);
  const comeBack = site.provider.goAway();
  const { status, problem, headers } = await toldOf(one, back);
  comeBack();
  expect([status, problem.code, headers['retry-after']]).toEqual([503, 'provider_unavailable', '5']);
  expect(problem.detail).toContain('sign in with a key');
  await one.go(BEGIN);
  expect((await whoIs(one)).name).toBe('Ann');
});

test('whatever returnTo says, it leads to a page of this server', async () => {
  const elsewhere = [
    '//evil.example',
    'https://evil.example',
    '/\\evil.example',
    '/a/..//evil.example',
    '/api/v1/session/oidc',
  ];
  for (const returnTo of elsewhere) {
    const { way } = await site.browser().go(`${BEGIN}?returnTo=${encodeURIComponent(returnTo)}`);
    expect(way.find((step) => isBack(step.url))?.headers.location, returnTo).toBe('/');
    expect(way.map((step) => step.url.hostname)).not.toContain('evil.example');
  }
});

test('a session that came with the way back is over then, and the new one has another token', async () => {
  const one = site.browser();
  await one.go(BEGIN);
  const first = { token: one.cookies(HOME).get(SESSION), ...(await whoIs(one)) };
  site.provider.person = BEA;
  // Who is signed in at the provider is for the provider to know.
  for (const name of [...one.cookies(site.provider.issuer).keys()]) one.put(site.provider.issuer, name);
  await one.go(BEGIN);
  const second = { token: one.cookies(HOME).get(SESSION), ...(await whoIs(one)) };
  expect([second.name, second.id === first.id, second.token === first.token]).toEqual([
    BEA.email,
    false,
    false,
  ]);
  one.put(HOME, SESSION, first.token);
  expect(await toldOf(one, `${HOME}/api/v1/session`)).toMatchObject({ status: 401 });
});
