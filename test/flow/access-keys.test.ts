import type { ApiKey, ApiKeyCreated, Problem } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKey, secretOf } from '../support/access.ts';
import { startTestApi, type TestApi } from '../support/api.ts';
import { createHttp, type Http } from '../support/http.ts';
import { waitUntil } from '../support/wait-until.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api?.stop());

const post = <Body = Problem>(path: string, body: object, http = api.http) =>
  http.call<Body>('POST', path, body);

test('a key is told once, works at once, and is listed without what would let anybody in', async () => {
  const asked = { name: 'mail – déploiement', role: 'viewer', queues: ['mail'], payloads: false } as const;
  const made = await api.http.call<ApiKeyCreated>('POST', '/api-keys', { ...asked, expiresIn: '1h' });
  const { key, ...shown } = made.body;
  expect(made.status).toBe(201);
  expect(made.headers.get('location')).toBe(`/api/v1/api-keys/${shown.id}`);
  expect(key).toMatch(new RegExp(`^jb_${shown.id}_[\\w-]{43}$`));
  expect(shown).toMatchObject({
    ...asked,
    state: 'active',
    createdBy: 'first',
    lastUsedAt: null,
    revoked: null,
  });
  expect((await api.as(key).call('GET', '/jobs')).status).toBe(200);
  const { body: page } = await api.http.call<{ items: ApiKey[] }>('GET', '/api-keys');
  expect(page.items.find(({ id }) => id === shown.id)).toMatchObject({ ...asked, state: 'active' });
  expect(page.items.at(-1)).toMatchObject({ id: 'first', configured: true, role: 'admin', queues: null });
  expect(JSON.stringify(page)).not.toMatch(/hash|retired|sha256|"key"/);
  const used = await waitUntil('its use is noted', async () => {
    const { body } = await api.http.call<ApiKey>('GET', `/api-keys/${shown.id}`);
    return body.lastUsedAt ?? undefined;
  });
  expect(Date.parse(used)).toBeCloseTo(Date.now(), -5);
});

test('with an Idempotency-Key one is made; a repeat is not told the key', async () => {
  const before = { 'idempotency-key': 'one-key' };
  const ask = () =>
    api.http.call<ApiKeyCreated & Problem>('POST', '/api-keys', { name: 'n', role: 'viewer' }, before);
  const first = await ask();
  const second = await ask();
  expect(first.status).toBe(201);
  expect(second.status).toBe(409);
  expect(second.headers.get('location')).toBe(first.headers.get('location'));
  expect(JSON.stringify(second.body)).not.toContain(secretOf(first.body.key));
});

test('a revoked key is refused on every API within a second', async () => {
  const other = await api.beside();
  const { id, key } = await makeKey(api, { role: 'viewer' });
  const apis = [api.as(key), createHttp({ url: other.url, apiKey: key })];
  const status = async (http: Http) => (await http.call('GET', '/schedules?limit=1')).status;
  for (const http of apis) expect(await status(http)).toBe(200);
  const { status: revoked } = await api.http.call('DELETE', `/api-keys/${id}`);
  const since = performance.now();
  expect(revoked).toBe(204);
  /** When it was asked last such that it was let in, milliseconds after the key was revoked. */
  const lastIn = async (http: Http) => {
    for (let last = 0; ; ) {
      const asked = performance.now() - since;
      if ((await status(http)) === 401) return last;
      last = asked;
    }
  };
  for (const last of await Promise.all(apis.map(lastIn))) expect(last).toBeLessThan(1_000);
  for (const http of apis)
    expect((await http.call<Problem>('GET', '/jobs')).body).toMatchObject({
      status: 401,
      code: 'key_revoked',
    });
  expect((await api.http.call('DELETE', `/api-keys/${id}`)).status).toBe(204);
  const { body } = await api.http.call<ApiKey>('GET', `/api-keys/${id}`);
  expect(body).toMatchObject({ state: 'revoked', revoked: { by: 'first' } });
});

test('a key that was made here and stands in the configuration stops no start, and is what it was', async () => {
  const { id, key } = await makeKey(api, { role: 'viewer' });
  const beside = await api.beside(key);
  expect((await beside.call('GET', '/schedules?limit=1')).status).toBe(200);
  expect((await beside.call('GET', '/api-keys')).status).toBe(403);
  const another = api.beside(`jb_${id}_${'x'.repeat(43)}`);
  await expect(another).rejects.toThrow(`there is another key with the id ${id}`);
});

test('no key makes one that may do more than itself', async () => {
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const makers = {
    ofQueues: await makeKey(api, { role: 'admin', queues: ['mine', 'mail'] }),
    blind: await makeKey(api, { role: 'admin', payloads: false }),
    short: await makeKey(api, { role: 'admin', expiresAt }),
  };
  const ask = (maker: ApiKeyCreated, change: object) =>
    post('/api-keys', { name: 'n', role: 'admin', ...change }, api.as(maker.key));
  const exceeds = (pointer: string) => ({
    status: 403,
    body: { code: 'key_exceeds_maker', errors: [{ pointer }] },
  });
  expect(await ask(makers.ofQueues, {})).toMatchObject(exceeds('/queues'));
  expect(await ask(makers.ofQueues, { queues: ['mine', 'theirs'] })).toMatchObject(exceeds('/queues'));
  expect(await ask(makers.ofQueues, { queues: ['mine'] })).toMatchObject({ status: 201 });
  expect(await ask(makers.blind, {})).toMatchObject(exceeds('/payloads'));
  expect(await ask(makers.blind, { payloads: false })).toMatchObject({ status: 201 });
  expect(await ask(makers.short, {})).toMatchObject(exceeds('/expiresAt'));
  expect(await ask(makers.short, { expiresIn: '2h' })).toMatchObject(exceeds('/expiresAt'));
  expect(await ask(makers.short, { expiresAt })).toMatchObject({ status: 201 });
  const seen = await api.as(makers.ofQueues.key).call<{ items: ApiKey[] }>('GET', '/api-keys?limit=200');
  for (const { queues } of seen.body.items)
    expect(['mine', 'mail']).toEqual(expect.arrayContaining(queues ?? ['*']));
  expect(seen.body.items.map(({ id }) => id)).toContain(makers.ofQueues.id);
  const foreign = await api.as(makers.ofQueues.key).call<Problem>('DELETE', `/api-keys/${makers.blind.id}`);
  expect(foreign.body).toMatchObject({ status: 404, code: 'key_not_found' });
});

test.each([
  [{ role: 'viewer' }, '/name', 'missing_field'],
  [{ name: 'n', role: 'root' }, '/role', 'invalid_value'],
  [{ name: 'a\nb', role: 'viewer' }, '/name', 'invalid_value'],
  [{ name: '\u001b[31m', role: 'viewer' }, '/name', 'invalid_value'],
  [{ name: 'n', role: 'viewer', queues: [] }, '/queues', 'invalid_value'],
  [{ name: 'n', role: 'viewer', queues: ['a.b'] }, '/queues/0', 'invalid_value'],
  [
    { name: 'n', role: 'viewer', expiresIn: '1h', expiresAt: '2099-01-01T00:00:00Z' },
    '/expiresAt',
    'invalid_value',
  ],
  [{ name: 'n', role: 'viewer', expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt', 'invalid_value'],
  [{ name: 'n', role: 'viewer', payload: false }, '/payload', 'unknown_field'],
])('%j is refused', async (body, pointer, code) => {
  expect((await post('/api-keys', body, api.http)).body).toMatchObject({
    status: 400,
    errors: [{ pointer, code }],
  });
});
