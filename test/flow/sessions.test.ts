import type { EndedSessions, Problem, SessionShown, SignInLink, Total } from '@jetbeat/core/http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeKey } from '../support/access.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import type { Http } from '../support/http.ts';
import { type Browser, createBrowser, lastIn, sameAt, who } from '../support/page.ts';
import { signInSteps } from '../support/sign-in-api.ts';

/** How long anything may go on after it was ended, milliseconds. */
const WITHIN_MS = 1_000;
/** In the form of an id. */
const NOBODY = 's_0123456789abcdef';

let api: TestApi;
let beside: Http;
beforeAll(async () => {
  api = await startTestApi({ yaml: 'api: {rateLimits: {failures: null}}\n' });
  beside = await api.beside();
});
afterAll(() => api?.stop());

interface Page {
  readonly items: readonly SessionShown[];
  readonly nextCursor: string | null;
  readonly total?: Total;
}
type Asker = Pick<Browser, 'call'> | Pick<Http, 'call'>;

const { signIn, audited } = signInSteps(() => api);
const list = async (asker: Asker, query = '') => {
  const { status, body } = await asker.call<Page>('GET', `/sessions?${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};
const seen = async (asker: Asker, query = 'limit=200') =>
  (await list(asker, query)).items.map(({ id }) => id).sort();
const end = (asker: Asker, body: object, headers: Record<string, string> = {}) =>
  asker.call<EndedSessions & Problem>('POST', '/sessions/end', body, headers);
/** Follows a link of somebody. */
async function phoneOf(maker: Asker): Promise<Browser & { readonly id: string }> {
  const { body: link } = await maker.call<SignInLink>('POST', '/session/links', {});
  const phone = createBrowser(api.http.url);
  const { status, body } = await phone.call<{ id: string }>('POST', '/session', { code: link.code });
  expect(status).toBe(201);
  return { ...phone, id: body.id };
}
/** Each is let in nowhere any more, on both APIs, within a second of the call that ended it. */
async function endsEverywhere(browsers: readonly Browser[], act: () => Promise<{ status: number }>) {
  const since = performance.now();
  const { status } = await act();
  const took = performance.now() - since;
  expect(status).toBeLessThan(300);
  for (const browser of browsers.flatMap((one) => [one, sameAt(beside.url, one)])) {
    expect(await lastIn(browser, since)).toBeLessThan(WITHIN_MS + took);
    expect(await who(browser)).toBe('session_ended');
  }
}

describe.each(['viewer', 'operator'] as const)('%s', (role) => {
  test('sees where the own key is signed in, and nothing of others', async () => {
    const { id: keyId, key } = await makeKey(api, { role, payloads: false, name: `own ${role}` });
    const [one, two] = [await signIn(key), await signIn(key)];
    const { id: otherId, key: otherKey } = await makeKey(api, { role });
    await signIn(otherKey);
    const { items, total } = await list(one);
    expect(items.map(({ id, current }) => [id, current])).toEqual([
      [two.id, false],
      [one.id, true],
    ]);
    expect(total).toEqual({ value: 2, capped: false });
    expect(items[1]).toEqual({
      id: one.id,
      name: `own ${role}`,
      role,
      queues: null,
      payloads: false,
      beganBy: 'key',
      keyId,
      issuer: null,
      subject: null,
      address: '127.0.0.1',
      userAgent: 'node',
      current: true,
      createdAt: expect.any(String),
      seenAt: expect.any(String),
      idleUntil: expect.any(String),
      expiresAt: expect.any(String),
    });
    const [token = ''] = one.cookies.values();
    expect(JSON.stringify(items)).not.toContain(token);
    expect(await seen(api.as(key))).toEqual([one.id, two.id].sort());
    const admin = await signIn(api.key);
    const { name } = await admin.call<{ name: string }>('GET', '/session').then(({ body }) => body);
    const named = new URLSearchParams({ name }).toString();
    for (const query of ['key=first', named, `key=${otherId}`, `whose=all&key=${otherId}`]) {
      expect(await seen(admin, query), query).not.toEqual([]);
      expect(await list(one, query), query).toEqual({
        items: [],
        nextCursor: null,
        total: { value: 0, capped: false },
      });
    }
  });

  test('ends own ones, on every API within a second, and no others', async () => {
    const { key } = await makeKey(api, { role });
    const [one, two] = [await signIn(key), await signIn(key)];
    const other = await signIn((await makeKey(api, { role })).key);
    const admin = await signIn(api.key);
    const [there, nowhere] = await Promise.all(
      [other.id, NOBODY].map((id) => one.call<Problem>('DELETE', `/sessions/${id}`)),
    );
    expect(there).toMatchObject({ status: 404, body: { code: 'session_not_found' } });
    expect(there?.body.detail?.replace(other.id, '')).toBe(nowhere?.body.detail?.replace(NOBODY, ''));
    expect((await one.call('DELETE', `/sessions/${admin.id}`)).status).toBe(404);
    const reason = { 'jetbeat-reason': 'lost the phone' };
    await endsEverywhere([two], () => one.call('DELETE', `/sessions/${two.id}`, undefined, reason));
    expect(await audited(two.id)).toMatchObject([
      {
        action: 'session.revoke',
        reason: 'lost the phone',
        address: '127.0.0.1',
        actor: { kind: 'session', id: one.id, role },
        after: { ended: 'revoked' },
      },
      { action: 'session.begin' },
    ]);
    expect(await Promise.all([one, other, admin].map(who))).toEqual([one.id, other.id, admin.id]);
    // By the key too; what was let in by it goes.
    await endsEverywhere([one], () => api.as(key).call('DELETE', `/sessions/${one.id}`));
  });

  test('ends all others of its own, and is told how many', async () => {
    const { id: keyId, key } = await makeKey(api, { role });
    const [one, two, three] = [await signIn(key), await signIn(key), await signIn(key)];
    const other = await signIn((await makeKey(api, { role })).key);
    for (const body of [{ key: keyId }, { key: 'first' }, { key: NOBODY }, { subject: 'x' }])
      expect(await end(one, body), JSON.stringify(body)).toMatchObject({
        status: 403,
        body: { code: 'forbidden' },
      });
    expect(await seen(one)).toHaveLength(3);
    await endsEverywhere([two, three], async () => {
      const answer = await end(one, { others: true }, { 'jetbeat-reason': 'all' });
      expect(answer.body).toEqual({ ended: 2 });
      return answer;
    });
    expect((await end(one, { others: true })).body).toEqual({ ended: 0 });
    expect([await who(one), await who(other)]).toEqual([one.id, other.id]);
    expect(await audited(three.id)).toMatchObject([{ reason: 'all', actor: { id: one.id } }, {}]);
    expect((await end(api.as(key), { others: true })).body).toEqual({ ended: 1 });
    expect(await who(one)).toBe('session_ended');
  });
});

describe('an admin', () => {
  test('finds whom it looks for, page by page', async () => {
    const { id: keyId, key } = await makeKey(api, { role: 'viewer', name: 'Ann of mail' });
    const ids = [];
    for (let count = 0; count < 3; count++) ids.push((await signIn(key)).id);
    for (const query of [`key=${keyId}`, 'name=Ann%20of%20mail', `name=Ann+of+mail&key=${keyId}`])
      expect(await seen(api.http, query), query).toEqual(ids.toSorted());
    expect(await seen(api.http, 'name=Ann')).toEqual([]);
    const first = await list(api.http, `key=${keyId}&limit=2`);
    expect([first.items.map(({ id }) => id), first.total]).toEqual([
      [ids[2], ids[1]],
      { value: 3, capped: false },
    ]);
    const next = `limit=2&cursor=${first.nextCursor}`;
    const second = await list(api.http, `key=${keyId}&${next}`);
    expect(second).toMatchObject({ items: [{ id: ids[0] }], nextCursor: null });
    expect(second).not.toHaveProperty('total');
    for (const query of [next, `key=other&${next}`, `key=${keyId}&whose=own&${next}`])
      expect((await api.http.call<Problem>('GET', `/sessions?${query}`)).body.code).toBe('invalid_cursor');
    const own = await signIn(api.key);
    expect(await seen(own, 'whose=own&limit=200')).toContain(own.id);
    expect(await seen(own, `whose=own&key=${keyId}`)).toEqual([]);
  });

  test('ends all sessions of a key, which goes on itself; the own ones go too where they are of it', async () => {
    const { id: keyId, key } = await makeKey(api, { role: 'admin' });
    const [one, two] = [await signIn(key), await signIn(key)];
    const phone = await phoneOf(two);
    const bystander = await signIn(api.key);
    await endsEverywhere([one, two, phone], () => end(one, { key: keyId }, { 'jetbeat-reason': 'left' }));
    for (const { id } of [one, two, phone])
      expect(await audited(id)).toMatchObject([
        { action: 'session.revoke', reason: 'left', actor: { id: one.id } },
        {},
      ]);
    expect(await who(bystander)).toBe(bystander.id);
    expect((await signIn(key)).id).not.toBe(one.id);
  });

  test('for some queues sees and ends none that are for others too', async () => {
    const { key } = await makeKey(api, { role: 'admin', queues: ['sms', 'fax'] });
    const few = api.as(key);
    const ofSms = await makeKey(api, { role: 'viewer', queues: ['sms'] });
    const ofMore = await makeKey(api, { role: 'viewer', queues: ['sms', 'mail'] });
    const [sms, more] = [await signIn(ofSms.key), await signIn(ofMore.key)];
    expect(await seen(few)).toEqual([sms.id]);
    expect((await few.call('DELETE', `/sessions/${more.id}`)).status).toBe(404);
    expect((await end(few, { key: ofMore.id })).body).toEqual({ ended: 0 });
    expect((await end(few, { key: ofSms.id })).body).toEqual({ ended: 1 });
    expect([await who(sms), await who(more)]).toEqual(['session_ended', more.id]);
  });
});

test('what a link of a session has begun sees and ends itself alone; its maker sees and ends it', async () => {
  const { key } = await makeKey(api, { role: 'operator' });
  const maker = await signIn(key);
  const [phone, tablet] = [await phoneOf(maker), await phoneOf(maker)];
  expect(await seen(phone)).toEqual([phone.id]);
  expect(await seen(maker)).toEqual([maker.id, phone.id, tablet.id].sort());
  for (const { id } of [maker, tablet])
    expect((await phone.call('DELETE', `/sessions/${id}`)).status).toBe(404);
  expect((await end(phone, { others: true })).body).toEqual({ ended: 0 });
  expect(await Promise.all([maker, phone, tablet].map(who))).toEqual([maker.id, phone.id, tablet.id]);
  await endsEverywhere([phone], () => maker.call('DELETE', `/sessions/${phone.id}`));
  await endsEverywhere([tablet], () => end(maker, { others: true }));
  expect(await who(maker)).toBe(maker.id);
});

test('what a link of the key itself has begun sees and ends itself alone; the key sees and ends it', async () => {
  const { key } = await makeKey(api, { role: 'viewer' });
  const [browser, phone] = [await signIn(key), await phoneOf(api.as(key))];
  expect(await seen(phone)).toEqual([phone.id]);
  expect((await phone.call('DELETE', `/sessions/${browser.id}`)).status).toBe(404);
  expect((await end(phone, { others: true })).body).toEqual({ ended: 0 });
  expect(await seen(browser)).toEqual([browser.id, phone.id].sort());
  await endsEverywhere([phone], () => api.as(key).call('DELETE', `/sessions/${phone.id}`));
  expect(await who(browser)).toBe(browser.id);
});

test.each([
  [{}, ''],
  [{ key: 'k', subject: 's' }, ''],
  [{ others: false }, '/others'],
])('to end %j: is told what is to be said', async (body, pointer) => {
  const { status, body: problem } = await end(api.http, body);
  const message = 'say which sessions with one of {"others": true}, {"key": "…"} or {"subject": "…"}';
  expect([status, problem.errors]).toEqual([400, [expect.objectContaining({ pointer, message })]]);
});

test('of many calls at once each session is ended by one, while it is used', async () => {
  const { key } = await makeKey(api, { role: 'viewer' });
  const one = await signIn(key);
  const others = await Promise.all(Array.from({ length: 4 }, () => signIn(key)));
  const used = Promise.all(others.map((browser) => lastIn(browser, performance.now())));
  const asked = [
    ...Array.from({ length: 3 }, () => end(one, { others: true })),
    ...others.map(({ id }) => one.call('DELETE', `/sessions/${id}`)),
  ];
  for (const { status } of await Promise.all<{ status: number }>(asked)) expect(status).toBeLessThan(300);
  await used;
  for (const { id } of others)
    expect((await audited(id)).map(({ action }) => action)).toEqual(['session.revoke', 'session.begin']);
  expect(await who(one)).toBe(one.id);
});

test('a page of another site neither sees nor ends them, and a session that is over does not either', async () => {
  const { key } = await makeKey(api, { role: 'viewer' });
  const [one, two] = [await signIn(key), await signIn(key)];
  const elsewhere = { 'sec-fetch-site': 'cross-site' };
  const asked = [
    one.call<Problem>('GET', '/sessions', undefined, elsewhere),
    one.call<Problem>('DELETE', `/sessions/${two.id}`, undefined, elsewhere),
    end(one, { others: true }, elsewhere),
  ];
  for (const { body } of await Promise.all(asked)) expect(body.code).toBe('cross_site');
  await api.as(key).call('DELETE', `/sessions/${one.id}`);
  for (const { status, body } of [
    await end(one, { others: true }),
    await one.call<Problem>('GET', '/sessions'),
  ])
    expect([status, body.code]).toEqual([401, 'session_ended']);
  expect(await who(two)).toBe(two.id);
});
