import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from './config.ts';
import { isOwnMachine } from './own-machine.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'jetbeat-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const RULE = { claim: 'groups', equals: 'jetbeat-admins', role: 'admin' };
const GOOD = { issuer: 'https://login.example.org/realms/company', clientId: 'jetbeat', roles: [RULE] };

function load(oidc: unknown, env: Record<string, string> = {}) {
  writeFileSync(join(cwd, 'jetbeat.yaml'), JSON.stringify({ api: { oidc } }));
  return loadConfig({ env, app: 'api', cwd }).api.oidc;
}

test('nothing said: nobody signs in with a provider', () => {
  expect(loadConfig({ env: {}, app: 'api', cwd }).api).not.toHaveProperty('oidc');
});

test('what has to be said, and what holds without it', () => {
  expect(load(GOOD)).toEqual({
    ...GOOD,
    name: 'login.example.org',
    scopes: ['openid', 'profile', 'email'],
    signOutAtProvider: false,
    roles: [{ ...RULE, payloads: true }],
  });
});

test('everything said', () => {
  const all = {
    ...GOOD,
    clientSecretFile: '/run/secrets/oidc',
    clientAuth: 'post',
    name: 'Company login',
    scopes: ['openid', 'groups'],
    signOutAtProvider: true,
    roles: [
      { ...RULE, role: 'operator', queues: ['mail'], payloads: false },
      { ...RULE, claim: ['resource_access', 'jet.beat', 'roles'], payloads: true },
    ],
  };
  expect(load(all)).toEqual(all);
});

test('provider, client and secret can come from the environment, the secret from a file that it names', () => {
  const file = join(cwd, 'secret');
  writeFileSync(file, 'of the file\n');
  const env = { JETBEAT_OIDC_ISSUER: 'http://127.0.0.1:4000', JETBEAT_OIDC_CLIENT_ID: 'other' };
  expect(load({ roles: [RULE] }, { ...env, JETBEAT_OIDC_CLIENT_SECRET_FILE: file })).toMatchObject({
    issuer: 'http://127.0.0.1:4000',
    clientId: 'other',
    clientSecret: 'of the file',
  });
});

test.each([
  [{ ...GOOD, roles: [] }, /api\.oidc\.roles must not have fewer than 1 items/],
  [{ ...GOOD, roles: undefined }, /api\.oidc must have required properties roles/],
  [{ ...GOOD, roles: [{ ...RULE, role: 'root' }] }, /roles\.0\.role must be one of viewer, operator, admin/],
  [{ ...GOOD, roles: [{ ...RULE, equals: '' }] }, /roles\.0\.equals/],
  [{ ...GOOD, roles: [{ ...RULE, claim: [] }] }, /roles\.0\.claim must not have fewer than 1 items/],
  [{ ...GOOD, roles: [{ ...RULE, claim: ['a', ''] }] }, /roles\.0\.claim\.1 must not have fewer than 1/],
  [{ ...GOOD, roles: [{ ...RULE, claim: 1 }] }, /roles\.0\.claim must be (string|array)/],
  [{ ...GOOD, roles: [{ ...RULE, claim: { a: 'b' } }] }, /roles\.0\.claim must be/],
  [{ ...GOOD, signOutAtProvider: 'yes' }, /signOutAtProvider must be boolean/],
  [{ ...GOOD, roles: [{ ...RULE, queue: 'mail' }] }, /unknown key .*roles\.0\.queue: did you mean queues\?/],
  [{ ...GOOD, clientID: 'x' }, /unknown key api\.oidc\.clientID: did you mean clientId\?/],
  [{ ...GOOD, name: 'a\nb' }, /api\.oidc\.name/],
  [{ ...GOOD, issuer: 'login.example.org' }, /issuer must look like "https:\/\/login/],
  [{ ...GOOD, issuer: 'https://user@login.example.org' }, /issuer must look like/],
  [{ ...GOOD, issuer: 'https://[' }, /api\.oidc\.issuer \(JETBEAT_OIDC_ISSUER\) is no address/],
  [{ ...GOOD, issuer: 'http://login.example.org' }, /issuer .* must begin with https:\/\/ unless it is this/],
  [{ ...GOOD, issuer: 'http://127.0.0.1.example.org' }, /must begin with https:\/\//],
  [{ ...GOOD, scopes: ['email'] }, /api\.oidc\.scopes must have openid/],
  [{ ...GOOD, scopes: ['openid email'] }, /scopes\.0 must look like "groups"/],
  [{ ...GOOD, clientAuth: 'basic' }, /clientAuth says how a secret is sent, and there is none/],
  [{ ...GOOD, clientSecret: 's3cr3t', clientSecretFile: '/x' }, /clientSecretFile are both set: keep one/],
])('%j is refused', (oidc, message) => {
  expect(() => load(oidc)).toThrow(message);
});

test.each([[{ ...GOOD, clientSecret: 's3cr3t\n' }], ['s3cr3t']])('a secret is in no message: %j', (oidc) => {
  expect(() => load(oidc)).toThrow(/^((?!s3cr3t).)*$/s);
});

test('what this machine is called', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]'])
    expect(isOwnMachine(host), host).toBe(true);
  for (const host of ['127.0.0.1.example.org', 'localhost.example.org', '10.0.0.1', '[::2]', ''])
    expect(isOwnMachine(host), host).toBe(false);
});
