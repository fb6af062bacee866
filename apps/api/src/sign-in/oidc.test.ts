import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OidcConfig } from '@jetbeat/runtime';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createOidc, type Oidc } from './oidc.ts';
import { createProvider } from './provider.ts';
import { createSeal } from './sealed.ts';

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2_048 });
const own = rsa();
const CLIENT = { clientId: 'jetbeat', clientSecret: 's'.repeat(43) };
const REDIRECT = 'https://jetbeat.example.org/api/v1/session/oidc/callback';

let server: Server;
let issuer: string;
/** What the provider answers to the code. */
let token: string;
/** What it says when it is asked for more. */
let more: object;
let oidc: Oidc;
let logged: object[];
beforeAll(async () => {
  server = createServer((request, response) => {
    const said: Record<string, () => object> = {
      '/token': () => ({ access_token: 'a', token_type: 'bearer', id_token: token }),
      '/jwks': () => ({ keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig' }] }),
      '/userinfo': () => more,
    };
    const described = {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      userinfo_endpoint: `${issuer}/userinfo`,
      id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
    };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(said[request.url ?? '']?.() ?? described));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config: OidcConfig = {
    issuer,
    ...CLIENT,
    name: 'Company login',
    scopes: ['openid'],
    signOutAtProvider: true,
    roles: [{ claim: 'groups', equals: 'ops', role: 'operator', payloads: true }],
  };
  const seal = createSeal({ secret: Buffer.alloc(32), purpose: 'x', lifeMs: 60_000, clock: Date.now });
  oidc = createOidc({ config, seal, provider: createProvider({ config }) });
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  logged = [];
  more = { sub: 'ann' };
});

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const signed = (claims: object, key: KeyObject = own.privateKey) => {
  const text = `${part({ alg: 'RS256', kid: 'one' })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
};
const withSecret = (claims: object) => {
  const text = `${part({ alg: 'HS256' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', CLIENT.clientSecret).update(text).digest('base64url')}`;
};
const unsigned = (claims: object) => `${part({ alg: 'none' })}.${part(claims)}.`;

/** Begins a sign-in, and comes back with a token that is made of the right claims. */
async function comeBack(make: (right: Record<string, unknown>) => string) {
  const log = { warn: (fields: unknown) => void logged.push(fields as object) };
  const { location, kept } = await oidc.begin({ redirectUri: REDIRECT, returnTo: '/docs', log });
  const asked = location.searchParams;
  const now = Math.floor(Date.now() / 1_000);
  const right = {
    iss: issuer,
    aud: CLIENT.clientId,
    sub: 'ann',
    iat: now,
    exp: now + 60,
    nonce: asked.get('nonce'),
  };
  token = make({ ...right, groups: ['ops'] });
  const query = `code=c&state=${asked.get('state')}`;
  return oidc.end({ attempt: oidc.attempt({ query, kept }), query, log });
}
const code = (make: (right: Record<string, unknown>) => string) =>
  comeBack(make).then(
    () => 'signed in',
    (error: { code: string }) => error.code,
  );

test('a token that is right in everything', async () => {
  expect(await comeBack(signed)).toEqual({
    by: 'oidc',
    name: 'ann',
    role: 'operator',
    payloads: true,
    issuer,
    subject: 'ann',
  });
  expect(logged).toEqual([]);
});

test('a provider that has no page to sign out leads nobody there, and that is warned of once', async () => {
  const log = { warn: (fields: unknown, text?: string) => void logged.push({ fields, text }) };
  const backTo = 'https://jetbeat.example.org/sign-in';
  for (const _ of ['first', 'again']) expect(await oidc.signOut({ backTo, log })).toBeUndefined();
  expect(logged).toEqual([
    { fields: { issuer }, text: expect.stringContaining('signOutAtProvider does nothing') },
  ]);
});

const minutesAgo = Math.floor(Date.now() / 1_000) - 300;
test.each<[string, (right: Record<string, unknown>) => string, string]>([
  ['of another key', (right) => signed(right, rsa().privateKey), 'sign_in_failed'],
  ['changed after it was signed', (right) => changed(signed(right)), 'sign_in_failed'],
  ['unsigned', unsigned, 'sign_in_failed'],
  ['signed with the secret of the client', withSecret, 'sign_in_failed'],
  ['for another client', (right) => signed({ ...right, aud: 'other' }), 'sign_in_failed'],
  ['of another provider', (right) => signed({ ...right, iss: 'https://evil.example' }), 'sign_in_failed'],
  ['of another sign-in', (right) => signed({ ...right, nonce: 'n' }), 'sign_in_failed'],
  ['of no sign-in', (right) => signed({ ...right, nonce: undefined }), 'sign_in_failed'],
  ['that is too old', (right) => signed({ ...right, exp: minutesAgo }), 'provider_wrong'],
  ['of nobody', (right) => signed({ ...right, sub: undefined }), 'sign_in_failed'],
  [
    'of somebody with an endless name',
    (right) => signed({ ...right, sub: 'a'.repeat(256) }),
    'provider_wrong',
  ],
  ['that is none', () => 'x', 'sign_in_failed'],
])('a token %s lets nobody in, and the log says why', async (_name, make, expected) => {
  expect(await code(make)).toBe(expected);
  expect(logged).toMatchObject([{ code: expected, why: expect.stringMatching(/./) }]);
  expect(JSON.stringify(logged)).not.toContain(token.slice(0, 20));
});

function changed(text: string): string {
  const [head = '', body = '', signature = ''] = text.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
  return [head, part({ ...claims, sub: 'boss' }), signature].join('.');
}

test('what is not in the token is asked for, of the same person alone', async () => {
  const withoutGroups = (right: Record<string, unknown>) => signed({ ...right, groups: undefined });
  more = { sub: 'ann', groups: ['ops'] };
  expect(await code(withoutGroups)).toBe('signed in');
  more = { sub: 'bea', groups: ['ops'] };
  expect(await code(withoutGroups)).not.toBe('signed in');
});

test('whom no rule fits: the log names the claims that there were, and not what they say', async () => {
  expect(await code((right) => signed({ ...right, groups: ['secret-project'] }))).toBe('not_invited');
  expect(logged).toEqual([
    { subject: 'ann', claims: expect.arrayContaining(['groups', 'sub', 'aud', 'nonce']) },
  ]);
});
