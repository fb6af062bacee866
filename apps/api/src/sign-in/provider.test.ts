import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OidcConfig } from '@jetbeat/runtime';
import { clientCredentialsGrant } from 'openid-client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { boundedFetch } from './bounded-fetch.ts';
import { failedSignIn } from './oidc-error.ts';
import { createProvider, readClientSecret } from './provider.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let issuer: string;
let dir: string;
let asked: string[];
let answer: Answer;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'jetbeat-'));
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
  answer = says({});
});

const json = (response: ServerResponse, body: object) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const says =
  (more: object): Answer =>
  (_request, response) =>
    json(response, { issuer, token_endpoint: `${issuer}/token`, ...more });

const config = (more: Partial<OidcConfig> = {}): OidcConfig => ({
  issuer,
  clientId: 'jetbeat',
  clientSecret: 'a:b c',
  name: 'x',
  scopes: ['openid'],
  signOutAtProvider: false,
  roles: [],
  ...more,
});
const failure = async (more: Partial<OidcConfig> = {}) => {
  const thrown = await createProvider({ config: config(more) })().catch((error: unknown) => error);
  const failed = failedSignIn(thrown);
  return failed && { code: failed.error.code, why: failed.why };
};

test('it is asked at the first use, once for many, and again after an hour', async () => {
  let now = 0;
  const provider = createProvider({ config: config(), monotonic: () => now });
  expect(asked).toEqual([]);
  const [first, second] = await Promise.all([provider(), provider()]);
  expect(second).toBe(first);
  now = 3_599_999;
  expect(await provider()).toBe(first);
  expect(asked).toEqual(['/.well-known/openid-configuration']);
  now = 3_600_001;
  expect(await provider()).not.toBe(first);
});

test('while it is away that is said, and it is asked again a second later, however many ask', async () => {
  let now = 0;
  const provider = createProvider({ config: config(), monotonic: () => now });
  answer = (_request, response) => void response.writeHead(503).end();
  for (let times = 0; times < 3; times++)
    expect(failedSignIn(await provider().catch((error: unknown) => error))).toMatchObject({
      error: { code: 'provider_unavailable', retryAfter: 5 },
      why: `${issuer} answers 503`,
    });
  expect(asked).toHaveLength(1);
  answer = says({});
  now = 1_001;
  expect((await provider()).serverMetadata().issuer).toBe(issuer);
});

test('nobody listens there: away', async () => {
  expect(await failure({ issuer: 'http://127.0.0.1:1' })).toEqual({
    code: 'provider_unavailable',
    why: expect.stringMatching(/^http:\/\/127\.0\.0\.1:1 does not answer/),
  });
});

test('nobody waits for it without end', async () => {
  answer = () => {};
  const provider = createProvider({ config: config(), timeoutS: 0.1 });
  expect(failedSignIn(await provider().catch((error: unknown) => error))).toMatchObject({
    error: { code: 'provider_unavailable' },
    why: `${issuer} does not answer`,
  });
});

test('no answer is read without end', async () => {
  answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  };
  expect(await failure()).toEqual({
    code: 'provider_unavailable',
    why: expect.stringMatching(/answers more than 1048576 bytes$/),
  });
});

test.each<[string, Answer, RegExp]>([
  ['another one', says({ issuer: 'https://other.example.org' }), /issuer/],
  ['one of many', says({ issuer: 'https://login.example.org/{tenantid}/v2.0' }), /issuer/],
  ['nobody', (_request, response) => void response.writeHead(404).end('no'), /NOT_CONFORM/],
  [
    'a page',
    (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    /JSON/,
  ],
  [
    'elsewhere',
    (_request, response) => void response.writeHead(302, { location: '/x' }).end(),
    /NOT_CONFORM/,
  ],
])('it says that it is %s: not accepted, and the log says why', async (_name, saying, why) => {
  answer = saying;
  expect(await failure()).toEqual({ code: 'provider_wrong', why: expect.stringMatching(why) });
  expect(asked).toEqual(['/.well-known/openid-configuration']);
});

test('by plain http only this machine is asked, whatever a provider says', async () => {
  const options = { method: 'GET', headers: {}, body: undefined, redirect: 'manual' } as const;
  await expect(boundedFetch('http://example.org/token', options)).rejects.toThrow('by https alone');
});

const BASIC = `Basic ${Buffer.from('jetbeat:a%3Ab+c').toString('base64')}`;
test.each<[string, string[] | undefined, 'basic' | 'post' | undefined, boolean]>([
  ['says nothing', undefined, undefined, true],
  ['takes both', ['client_secret_post', 'client_secret_basic'], undefined, true],
  ['takes one', ['client_secret_post', 'private_key_jwt'], undefined, false],
  ['takes both, and the configuration says it', ['client_secret_basic'], 'post', false],
  ['says nothing, and the configuration says it', undefined, 'basic', true],
])('how the secret is sent to one that %s', async (_name, methods, clientAuth, isBasic) => {
  let sent: { authorization: string | undefined; body: string } | undefined;
  answer = (request, response) => {
    if (request.url !== '/token')
      return says(methods ? { token_endpoint_auth_methods_supported: methods } : {})(request, response);
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      sent = { authorization: request.headers.authorization, body };
      json(response, { access_token: 'x', token_type: 'bearer' });
    });
  };
  const provider = createProvider({ config: config(clientAuth ? { clientAuth } : {}) });
  await clientCredentialsGrant(await provider());
  expect(sent?.authorization).toBe(isBasic ? BASIC : undefined);
  expect(sent?.body.includes('client_secret=a%3Ab+c')).toBe(!isBasic);
});

test('the secret of a file, without its line end; one with nothing in it is none', async () => {
  const file = join(dir, 'secret');
  writeFileSync(file, 'of the file\n');
  expect(await readClientSecret({ clientSecretFile: file })).toBe('of the file');
  writeFileSync(file, '\n');
  await expect(readClientSecret({ clientSecretFile: file })).rejects.toThrow(`nothing stands in ${file}`);
});
