import type { ApiConfig, OidcConfig } from '@jetbeat/runtime';
import { expect, test } from 'vitest';
import { openOidc } from './open-oidc.ts';

const oidc: OidcConfig = {
  issuer: 'https://login.example.org',
  clientId: 'jetbeat',
  name: 'Company login',
  scopes: ['openid'],
  signOutAtProvider: false,
  roles: [{ claim: 'groups', equals: 'ops', role: 'operator', payloads: true }],
};
const open = (api: Partial<ApiConfig>, isOpen: boolean) =>
  openOidc({
    api: { oidc, ...api } as ApiConfig,
    door: { isOpen },
    secret: async () => Buffer.alloc(32),
    clock: () => 0,
  });

test('where the configuration names nobody there is nobody to sign in with', async () => {
  const api = {} as ApiConfig;
  const secret = () => Promise.reject(new Error('none is needed'));
  expect(await openOidc({ api, door: { isOpen: true }, secret, clock: () => 0 })).toBeUndefined();
});

test.each([
  [{ publicUrl: 'https://jetbeat.example.org' }, true],
  [{ publicUrl: 'http://127.0.0.1:7420' }, true],
  [{}, false],
])('browsers can be sent back: %j, reached from elsewhere: %j', async (api, isOpen) => {
  expect((await open(api, isOpen))?.name).toBe('Company login');
});

test.each([
  [{ publicUrl: 'http://jetbeat.example.org' }, true],
  [{}, true],
])(
  'the API does not start where they could not, or what they bring could be read: %j',
  async (api, isOpen) => {
    await expect(open(api, isOpen)).rejects.toThrow(
      /api\.oidc needs api\.publicUrl \(JETBEAT_PUBLIC_URL\) with https/,
    );
  },
);

test('a secret that cannot be read is said at the start', async () => {
  const unread = { ...oidc, clientSecretFile: '/nowhere/secret' };
  await expect(open({ oidc: unread }, false)).rejects.toThrow(
    /^api\.oidc\.clientSecretFile cannot be read: ENOENT/,
  );
});
