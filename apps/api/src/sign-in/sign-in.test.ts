import { DatabaseUnavailableError, type SessionRecord } from '@jetbeat/postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashSecret } from '../access/api-key.ts';
import { createCallers } from '../access/callers.ts';
import { HOME } from '../access/door.ts';
import { createTestServer, NOW, SECRET, type TestServer } from '../test-server.ts';
import { makeToken } from './session-cookie.ts';

const { token, hash } = makeToken();
const cookie = `jetbeat-80=${token}`;
const SESSION: SessionRecord = {
  id: 's_0123456789abcdef',
  tokenHash: hash,
  beganBy: 'key',
  name: 'Ada',
  role: 'viewer',
  payloads: true,
  createdAt: 0,
  seenAt: 0,
  idleUntil: 1,
  expiresAt: 1,
  live: true,
};
let server: TestServer;
let find: () => SessionRecord | undefined;
let asked: number;
let now = 0;
beforeAll(async () => {
  const callers = createCallers({
    findKey: async () => undefined,
    findSession: async (sent) => {
      asked += 1;
      return sent === hash ? find() : undefined;
    },
    door: HOME,
    clock: () => NOW,
  });
  const limits = { failures: { limit: 2, periodMs: 60_000, burst: 2 } };
  const sessions = { failed: () => {} } as never;
  server = await createTestServer({ callers, limits, sessions, monotonic: () => now });
});
beforeEach(() => {
  now += 1_000_000;
  asked = 0;
  find = () => SESSION;
});
afterAll(() => server.app.close());

const get = (headers: Record<string, string>, url = '/api/v1/jobs?limit=0') =>
  server.app.inject({ url, headers });
const codeOf = async (headers: Record<string, string>) =>
  (await get(headers)).json<{ code: string; status: number }>().code;

test('a session lets in as a key does, and one that is over, or not known, does not', async () => {
  // It got as far as to what is wrong with what it asks for.
  expect(await codeOf({ cookie })).toBe('invalid_request');
  find = () => ({ ...SESSION, live: false });
  expect(await codeOf({ cookie })).toBe('session_ended');
  find = () => undefined;
  expect(await codeOf({ cookie })).toBe('unauthorized');
});

test('while PostgreSQL is away nobody is let in, and nobody is told to sign in', async () => {
  find = () => {
    throw new DatabaseUnavailableError('gone');
  };
  expect(await codeOf({ cookie })).toBe('database_unavailable');
});

test('what is no token is not looked up', async () => {
  for (const value of ['x', `${token}x`, `${token.slice(1)}!`, '%00']) {
    now += 1_000_000;
    expect(await codeOf({ cookie: `jetbeat-80=${value}` }), value).toBe('unauthorized');
  }
  expect(asked).toBe(0);
});

describe('too many wrong ones from one address', () => {
  const wrong = { cookie: `jetbeat-80=${'x'.repeat(43)}` };

  test('are heard no more, but who was signed in lately is', async () => {
    expect(await codeOf({ cookie })).toBe('invalid_request');
    for (let index = 0; index < 2; index++) expect(await codeOf(wrong)).toBe('unauthorized');
    expect(await codeOf(wrong)).toBe('too_many_failures');
    expect(await codeOf({ cookie })).toBe('invalid_request');
    // A key that is wrong is not made right by a cookie beside it.
    const beside = { cookie, authorization: `Bearer jb_nobody_${SECRET}` };
    expect(await codeOf(beside)).toBe('too_many_failures');
    const signIn = await server.app.inject({
      method: 'POST',
      url: '/api/v1/session',
      payload: { key: 'x' },
    });
    expect(signIn.json()).toMatchObject({ code: 'too_many_failures' });
  });

  test('are also keys that somebody tries to sign in with', async () => {
    const signIn = () =>
      server.app.inject({ method: 'POST', url: '/api/v1/session', payload: { key: `jb_a_${SECRET}` } });
    for (const code of ['unauthorized', 'unauthorized', 'too_many_failures'])
      expect((await signIn()).json()).toMatchObject({ code });
  });

  test('are not those of who was signed in and is not any more', async () => {
    find = () => ({ ...SESSION, live: false });
    for (let index = 0; index < 5; index++) expect(await codeOf({ cookie })).toBe('session_ended');
  });
});

test.each(['/sign-in', '/sign-in/sign-in.js', '/sign-in/sign-in.css'])(
  '%s loads and runs nothing but its own files, is kept by nobody and framed by nobody',
  async (url) => {
    const { statusCode, headers, body } = await get({}, url);
    expect(statusCode).toBe(200);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    expect(headers['content-security-policy']).not.toMatch(/unsafe|http|\*/);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
    });
    expect(body).not.toMatch(/https?:\/\/|innerHTML|\son\w+=|style=/);
  },
);

test('what could be found out about signing in says nothing of anybody', async () => {
  const ways = await get({ cookie }, '/api/v1/session/ways');
  expect(ways.json()).toEqual({ key: true, oidc: null, signedIn: true });
  expect((await get({}, '/api/v1/session/ways')).json()).toEqual({ key: true, oidc: null, signedIn: false });
  const elsewhere = await get({ host: 'jetbeat.example.org' }, '/api/v1/session/ways');
  expect(elsewhere.json()).toMatchObject({ key: false });
  expect(asked).toBe(0);
});

describe('signing out', () => {
  const out = async (sessions: object) => {
    const own = await createTestServer({ sessions: sessions as never });
    const headers = { cookie, 'sec-fetch-site': 'same-origin' };
    const { statusCode, headers: told } = await own.app.inject({
      method: 'DELETE',
      url: '/api/v1/session',
      headers,
    });
    await own.app.close();
    return [statusCode, told['set-cookie']];
  };
  const gone = async () => {
    throw new DatabaseUnavailableError('gone');
  };
  const taken = expect.stringMatching(/^jetbeat-80=; Max-Age=0;/);

  test('while PostgreSQL is away leaves the browser its cookie, so that it can be done again', async () => {
    expect(await out({ find: async () => SESSION, end: gone })).toEqual([503, undefined]);
    expect(await out({ find: gone })).toEqual([503, undefined]);
  });

  test('takes the cookie once the session is over, was over, or is not known', async () => {
    expect(await out({ find: async () => SESSION, end: async () => true })).toEqual([204, taken]);
    expect(await out({ find: async () => SESSION, end: async () => false })).toEqual([204, taken]);
    expect(await out({ find: async () => undefined })).toEqual([401, taken]);
  });

  test('is possible while others at the address have tried too many keys, and so is asking for the ways', async () => {
    const wrong = { cookie: `jetbeat-80=${'x'.repeat(43)}` };
    for (const code of ['unauthorized', 'unauthorized', 'too_many_failures'])
      expect(await codeOf(wrong)).toBe(code);
    const outAgain = await server.app.inject({ method: 'DELETE', url: '/api/v1/session' });
    expect(outAgain.statusCode).toBe(204);
    expect((await get({}, '/api/v1/session/ways')).statusCode).toBe(200);
    expect((await get({}, '/api/v1/session/oidc')).statusCode).toBe(404);
  });
});

test('sessions to end are not looked up without end; who was signed in lately can sign out, and keys are heard', async () => {
  const looked: string[] = [];
  const found = async (sent: string) => {
    looked.push(sent);
    return sent === hash ? SESSION : undefined;
  };
  const own = await createTestServer({
    callers: createCallers({
      findKey: async () => undefined,
      findSession: found,
      door: HOME,
      clock: () => NOW,
    }),
    sessions: { find: found, end: async () => true } as never,
    limits: { failures: { limit: 2, periodMs: 60_000, burst: 2 } },
    monotonic: () => 0,
  });
  const out = async (value: string) => {
    const headers = { cookie: `jetbeat-80=${value}`, 'sec-fetch-site': 'same-origin' };
    return (await own.app.inject({ method: 'DELETE', url: '/api/v1/session', headers })).statusCode;
  };
  const read = { url: '/api/v1/jobs?limit=0', headers: { cookie } };
  expect((await own.app.inject(read)).statusCode).toBe(400);
  looked.length = 0;
  const tried = await Promise.all(Array.from({ length: 3 }, () => out(makeToken().token)));
  expect(tried.filter((status) => status === 401).length).toBeGreaterThan(0);
  for (let index = 0; index < 20; index++) expect(await out(makeToken().token)).toBe(429);
  expect(looked.length).toBeLessThanOrEqual(3);
  const wrongKey = { authorization: `Bearer jb_nobody_${SECRET}` };
  expect((await own.app.inject({ ...read, headers: wrongKey })).statusCode).toBe(401);
  expect(await out(token)).toBe(204);
  expect((await own.app.inject({ method: 'DELETE', url: '/api/v1/session' })).statusCode).toBe(204);
  await own.app.close();
});

test('who was right with a session is not heard more often where keys are tried out', async () => {
  expect(await codeOf({ cookie })).toBe('invalid_request');
  const signIn = async () =>
    (
      await server.app.inject({
        method: 'POST',
        url: '/api/v1/session',
        payload: { key: `jb_a_${SECRET}` },
        headers: { cookie, 'sec-fetch-site': 'same-origin' },
      })
    ).json<{ code: string }>().code;
  for (const code of ['unauthorized', 'unauthorized', 'too_many_failures']) expect(await signIn()).toBe(code);
  expect(await codeOf({ cookie })).toBe('invalid_request');
});

test('a key and its sessions have one share of the requests', async () => {
  const hash = hashSecret(SECRET);
  const flags = { payloads: true, expired: false, configured: false, createdAt: 0, retired: [] };
  const callers = createCallers({
    findKey: async () => ({ id: 'k', role: 'viewer', name: 'k', hash, ...flags }),
    findSession: async () => ({ ...SESSION, key: { id: 'k', hash } }),
    door: HOME,
    clock: () => NOW,
  });
  const limits = { key: { limit: 1, periodMs: 1_000, burst: 2 } };
  const own = await createTestServer({ callers, limits, monotonic: () => 0 });
  const ask = async (headers: Record<string, string>) =>
    (await own.app.inject({ url: '/api/v1/jobs?limit=0', headers })).statusCode;
  const withKey = { authorization: `Bearer jb_k_${SECRET}` };
  expect([await ask(withKey), await ask({ cookie }), await ask({ cookie }), await ask(withKey)]).toEqual([
    ...[400, 400, 429, 429],
  ]);
  await own.app.close();
});

test('with nobody signed in no Idempotency-Key is kept, so that none is taken', async () => {
  const answer = await server.app.inject({
    method: 'POST',
    url: '/api/v1/session',
    payload: { key: 'x' },
    headers: { 'idempotency-key': 'k' },
  });
  expect(answer.json()).toMatchObject({ status: 400, errors: [{ pointer: 'idempotency-key' }] });
});
