import { revokeApiKey } from '@jetbeat/postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fill, makeKey, nothing, pathTo, type Route, routesOf, type Things } from '../support/access.ts';
import { bodyOf, ROLES, refusalOf, rolesOf } from '../support/access-tables.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { askAs } from '../support/ask-as.ts';
import { createBrowser } from '../support/page.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A queue of others, and what nobody is to see who is not for it. Neither word is part of another one. */
const MINE = 'mine';
const OTHER = 'hush';
const SECRET = 'canary-of-payloads';
/** What keys there are of each role, by what is said of them. */
const KINDS: readonly [string, { queues?: string[]; payloads?: boolean }][] = [
  ['', {}],
  [` of ${MINE}`, { queues: [MINE] }],
  [' without payloads', { payloads: false }],
];

let api: TestApi;
/** Those that need somebody. */
let routes: Route[];
/** Those that anyone may call. */
let open: Route[];
let mine: Things;
let other: Things;
/** By name, the headers with which somebody comes. */
const comers = new Map<string, Readonly<Record<string, string>>>();
const withKey = (key: string) => ({ authorization: `Bearer ${key}` });
/** Signs a browser in. */
async function withSession(key: string) {
  const browser = createBrowser(api.http.url);
  await browser.call('POST', '/session', { key });
  const cookie = [...browser.cookies].map((pair) => pair.join('=')).join();
  return { browser, headers: { cookie, 'sec-fetch-site': 'same-origin' } };
}

beforeAll(async () => {
  api = await startTestApi({ yaml: 'api: {rateLimits: {failures: null, key: null, address: null}}\n' });
  mine = await fill(api, MINE, SECRET);
  other = await fill(api, OTHER, SECRET);
  for (const role of ROLES) {
    for (const [what, rights] of KINDS) {
      const { key } = await makeKey(api, { role, ...rights });
      comers
        .set(`${role}${what}`, withKey(key))
        .set(`session of ${role}${what}`, (await withSession(key)).headers);
    }
  }
  const short = await makeKey(api, { role: 'admin', expiresIn: '1s' });
  const gone = await makeKey(api, { role: 'admin' });
  const ofGone = await withSession(gone.key);
  const over = await withSession(api.key);
  await over.browser.call('DELETE', '/session');
  await revokeApiKey(api.db, { id: gone.id, by: 'test' });
  comers
    .set('expired', withKey(short.key))
    .set('revoked', withKey(gone.key))
    .set('unknown', withKey(`jb_nobody_${'x'.repeat(43)}`))
    .set('session that is over', over.headers)
    .set('session of a revoked key', ofGone.headers)
    .set('unknown session', {
      ...over.headers,
      cookie: over.headers.cookie.replace(/=.*/, `=${'x'.repeat(43)}`),
    })
    .set('session of another site', { ...comers.get('session of admin'), 'sec-fetch-site': 'cross-site' });
  const all = await routesOf(api.http.url);
  routes = all.filter(({ role }) => role !== 'anyone');
  open = all.filter(({ role }) => role === 'anyone');
  await waitUntil('it has expired', async () => (await ask('GET', '/jobs', 'expired')).status === 401);
});
afterAll(() => api?.stop());

/** Asks as `who`. */
const ask = (method: string, path: string, who: string, body?: unknown) =>
  askAs(api.http.url, { method, path, headers: comers.get(who) ?? {}, body });
/** With the key itself, and signed in with it. */
const byBoth = (route: Route) => ['', 'session of '].map((by) => ({ route, by }));
const title = ({ method, path }: Route) => `${method} ${path}`;
/** Such that it changes nothing: what the path names is not there. */
const askNothing = (route: Route, who: string) =>
  ask(route.method, pathTo(route, nothing()), who, route.hasBody ? {} : undefined);

describe('every route, who may call it', () => {
  test('there are many, and each says who and how', () => {
    expect(routes.length).toBeGreaterThan(50);
    expect(new Set(routes.map(({ operation }) => operation)).size).toBe(routes.length);
  });

  test('anyone may sign in and out, and nothing else', () => {
    const signingIn = ['POST /session', 'DELETE /session', 'GET /session/ways'];
    const byProvider = ['', '/callback', '/sign-out'].map((path) => `GET /session/oidc${path}`);
    expect(open.map(title).toSorted()).toEqual([...signingIn, ...byProvider].toSorted());
  });

  test.each([
    ['nobody', 401, 'unauthorized'],
    ['unknown', 401, 'unauthorized'],
    ['expired', 401, 'key_expired'],
    ['revoked', 401, 'key_revoked'],
    ['unknown session', 401, 'unauthorized'],
    ['session that is over', 401, 'session_ended'],
    ['session of a revoked key', 401, 'session_ended'],
    ['session of another site', 403, 'cross_site'],
  ])('%s: %i %s', async (who, status, code) => {
    for (const route of routes)
      expect(await askNothing(route, who), title(route)).toMatchObject({ status, code });
  });

  test.each(
    ROLES.flatMap(
      (role) =>
        [
          [role, role],
          [`session of ${role}`, role],
        ] as const,
    ),
  )('%s: what needs more is 403, what needs no more is not refused', async (who, role) => {
    for (const route of routes) {
      const isEnough = ROLES.indexOf(role) >= ROLES.indexOf(route.role as typeof role);
      const { status, code } = await askNothing(route, who);
      const expected = isEnough ? expect.toSatisfy((given: number) => given !== 401 && given !== 403) : 403;
      expect({ route: title(route), status }, code).toEqual({ route: title(route), status: expected });
      if (!isEnough) expect(code, title(route)).toBe('forbidden');
    }
  });
});

describe('a key that is for some queues only', () => {
  const byRole = (route: Route) => rolesOf(route).map((role) => ({ route, role }));

  test('of another queue it neither sees nor touches anything, on any route', async () => {
    const each = routes.flatMap(byBoth);
    for (const { route, by, role } of each.flatMap((one) =>
      rolesOf(one.route).map((role) => ({ ...one, role })),
    )) {
      const who = `${by}${role} of ${MINE}`;
      const asked = await ask(route.method, pathTo(route, other), who, bodyOf(route, other));
      if (route.method === 'GET')
        expect([asked.status, 405], title(route)).toContain(
          (await ask('HEAD', pathTo(route, other), who)).status,
        );
      const expected = refusalOf(route);
      if (expected) {
        const [status, code] = expected;
        expect(asked, title(route)).toMatchObject({ status, code: expect.stringMatching(code) });
      } else {
        expect(['list', 'none'], title(route)).toContain(route.scope);
        expect(asked.status, `${title(route)} ${asked.text}`).toBeLessThan(300);
        // Not what was asked for, only what was told.
        expect(asked.text, title(route)).not.toContain(OTHER);
        for (const id of [other.job, other.dead, other.batch, other.replay, other.apiKey, other.session])
          expect(asked.text, title(route)).not.toContain(id);
      }
    }
  });

  test('what is of another queue is answered in the very words as what there is not', async () => {
    for (const { route, role } of routes.filter(({ path }) => path.includes('{')).flatMap(byRole)) {
      const none = nothing();
      const who = `${role} of ${MINE}`;
      // Names that are made are taken or not, whoever asks.
      if (route.operation === 'putSchedule') continue;
      const [there, nowhere] = await Promise.all(
        [other, none].map(async (things) => {
          const { text } = await ask(route.method, pathTo(route, things), who, bodyOf(route, mine));
          const names = Object.values(things)
            .flatMap((name) => [name, encodeURIComponent(name)])
            .sort((a, b) => b.length - a.length);
          const bare = names.reduce((rest, name) => rest.replaceAll(name, '…'), text);
          return bare.replace(/"traceId":"\w+"/, '');
        }),
      );
      expect(there, title(route)).toBe(nowhere);
    }
  });

  test('nothing of the other queue has changed by all that', async () => {
    const { body: job } = await api.http.call('GET', `/jobs/${other.job}`);
    expect(job).toMatchObject({ state: 'scheduled', priority: 'normal' });
    const { body: queue } = await api.http.call('GET', `/queues/${OTHER}`);
    expect(queue).toMatchObject({ concurrency: 3, paused: null, scheduled: 1 });
    const { body: schedule } = await api.http.call('GET', `/schedules/${encodeURIComponent(other.schedule)}`);
    expect(schedule).toMatchObject({ version: 1, paused: null, lastOccurrence: null });
    const { body: dead } = await api.http.call('GET', `/dead-letters/${other.dead}`);
    expect(dead).toMatchObject({ id: other.dead });
    const { body: key } = await api.http.call('GET', `/api-keys/${other.apiKey}`);
    expect(key).toMatchObject({ state: 'active' });
    const { body: sessions } = await api.http.call('GET', '/sessions?limit=200');
    expect(JSON.stringify(sessions)).toContain(other.session);
  });

  test('its own queue it sees and uses, on every route that is of one', async () => {
    // What ends things comes last.
    const last = (route: Route) => Number(/cancel|delete|revoke|discard/i.test(route.operation));
    for (const route of routes.toSorted((a, b) => last(a) - last(b))) {
      if (route.scope === 'every') continue;
      const who = `${rolesOf(route).at(-1)} of ${MINE}`;
      const { status, code } = await ask(route.method, pathTo(route, mine), who, bodyOf(route, mine));
      expect({ route: title(route), code, status }).toEqual({
        route: title(route),
        code,
        status: expect.toSatisfy((given: number) => ![401, 403, 404].includes(given)),
      });
    }
  });
});

describe('a key without payloads', () => {
  test('sees none on any route, and is told that they are hidden', async () => {
    let shown = 0;
    for (const { route, by } of routes.filter(({ method }) => method === 'GET').flatMap(byBoth)) {
      const path = pathTo(route, other);
      const whole = await ask('GET', path, route.role);
      const bare = await ask('GET', path, `${by}${route.role} without payloads`);
      expect(bare.status, title(route)).toBe(whole.status);
      expect(bare.text, title(route)).not.toContain(SECRET);
      if (!whole.text.includes(SECRET)) continue;
      shown += 1;
      expect(bare.text, title(route)).toContain('"hidden":[');
    }
    // A key of a task too.
    const dead = `/jobs/${other.dead}`;
    expect((await ask('GET', dead, 'viewer')).text).toContain(`"key":"of-${SECRET}"`);
    expect((await ask('GET', dead, 'viewer without payloads')).text).not.toContain(SECRET);
    // Jobs, dead letters and schedules, each one by itself and in a list.
    expect(shown).toBeGreaterThanOrEqual(12);
  });

  test('does not find them out by searching, and sees none of what a change is answered with', async () => {
    const who = 'operator without payloads';
    for (const path of [
      `/jobs?meta.note=${SECRET}`,
      `/jobs?search=input.secret:${SECRET}`,
      `/jobs/counts?meta.note=${SECRET}`,
    ])
      expect(await ask('GET', path, who), path).toMatchObject({ status: 403, code: 'payloads_hidden' });
    const path = `/schedules/${encodeURIComponent(other.schedule)}`;
    for (const [method, way, body] of [
      ['PATCH', '', { overlap: 'allow' }],
      ['POST', '/pause', {}],
      ['POST', '/resume', {}],
    ] as const) {
      const { status, text } = await ask(method, path + way, who, body);
      expect(status).toBe(200);
      expect(text).not.toContain(SECRET);
    }
  });
});
