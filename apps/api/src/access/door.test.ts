import { ConfigError } from '@jetbeat/runtime';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ApiError } from '../problems/problem.ts';
import { admitProxies, checkDoor, HOME } from './door.ts';

const check = (host: string, api: object = {}, key = true) =>
  checkDoor({ host, api: { trustedProxies: [], ...api }, hasKey: async () => key });
const proxies = { trustedProxies: ['10.0.0.0/8'] };

describe('before it listens', () => {
  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])(
    '%s is this machine alone: nothing is needed',
    async (host) => {
      expect(await check(host, {}, false)).toEqual({ ...HOME, tls: undefined });
    },
  );

  test.each(['0.0.0.0', '::', '10.1.2.3', '192.168.0.1', 'no-such-host.invalid', '::ffff:0.0.0.0'])(
    '%s is not: without https or a proxy it does not start, and says what to do',
    async (host) => {
      const refused = await check(host).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(ConfigError);
      expect((refused as ConfigError).problems).toEqual([
        expect.stringMatching(/JETBEAT_HOST.*api\.tls.*JETBEAT_TLS_CERT.*api\.trustedProxies.*127\.0\.0\.1/),
      ]);
    },
  );

  test('without a key it does not start there either', async () => {
    const refused = await check('0.0.0.0', proxies, false).catch((error: unknown) => error);
    expect((refused as ConfigError).problems).toEqual([
      expect.stringMatching(/nobody has a key: set JETBEAT_API_KEY_FILE/),
    ]);
    const both = await check('0.0.0.0', {}, false).catch((error: unknown) => error);
    expect((both as ConfigError).problems).toHaveLength(2);
  });

  test('a proxy may end https, on this machine or elsewhere; then others can reach it', async () => {
    expect(await check('0.0.0.0', proxies)).toMatchObject({ isOpen: true, secure: false });
    expect(await check('127.0.0.1', proxies)).toMatchObject({ isOpen: true });
    const publicUrl = 'https://jetbeat.example.org';
    expect(await check('127.0.0.1', { ...proxies, publicUrl })).toMatchObject({ isOpen: true, secure: true });
  });

  test('an address with https needs somebody who ends it: else all callers would be one to every limit', async () => {
    const publicUrl = 'https://jetbeat.example.org';
    await expect(check('127.0.0.1', { publicUrl })).rejects.toThrow(
      /publicUrl .* is https, and nothing ends https there: name the proxy .* api\.trustedProxies .*127\.0\.0\.1/,
    );
    const plain = { publicUrl: 'http://127.0.0.1:8080' };
    expect(await check('127.0.0.1', plain)).toMatchObject({ isOpen: true, secure: false });
  });

  test('files that are no certificate are named', async () => {
    const tls = { cert: import.meta.filename, key: '/nowhere/key.pem' };
    await expect(check('0.0.0.0', { tls })).rejects.toThrow(
      /api\.tls\.key \(JETBEAT_TLS_KEY\): cannot read "\/nowhere\/key\.pem"/,
    );
    await expect(check('0.0.0.0', { tls: { ...tls, key: tls.cert } })).rejects.toThrow(
      /no certificate and its key/,
    );
  });
});

describe('where proxies end https', () => {
  let app: FastifyInstance;
  beforeEach(() => {
    app = Fastify({ trustProxy: ['127.0.0.9'] });
    app.setErrorHandler((error, _request, reply) =>
      reply.status(403).send(error instanceof ApiError ? error.code : ''),
    );
    admitProxies(app, { ...HOME, trustedProxies: ['127.0.0.9', '10.0.0.0/8'] });
    for (const path of ['/livez', '/jobs']) app.get(path, async ({ ip }) => ip);
  });
  afterEach(() => app.close());
  const ask = async (remoteAddress: string, path = '/jobs') => {
    const headers = { 'x-forwarded-for': '203.0.113.5' };
    const { statusCode, body } = await app.inject({ path, headers, remoteAddress });
    return [statusCode, body];
  };

  test('they are answered, and so is this machine; nobody else is, but who watches', async () => {
    expect(await ask('127.0.0.9')).toEqual([200, '203.0.113.5']);
    expect((await ask('10.9.9.9'))[0]).toBe(200);
    expect(await ask('127.0.0.1')).toEqual([200, '127.0.0.1']);
    expect(await ask('::1')).toEqual([200, '::1']);
    for (const peer of ['192.168.0.7', '11.0.0.1', '::ffff:11.0.0.1', '2001:db8::1'])
      expect(await ask(peer), peer).toEqual([403, 'not_through_proxy']);
    expect(await ask('192.168.0.7', '/livez')).toEqual([200, '192.168.0.7']);
    expect((await ask('::ffff:10.0.0.1'))[0]).toBe(200);
  });

  test('where the API speaks https itself, everybody is', async () => {
    const own = Fastify();
    admitProxies(own, {
      ...HOME,
      ...proxies,
      tls: { cert: Buffer.alloc(0), key: Buffer.alloc(0), minVersion: 'TLSv1.2' },
    });
    own.get('/jobs', async () => 'x');
    expect((await own.inject({ path: '/jobs', remoteAddress: '192.168.0.7' })).statusCode).toBe(200);
  });
});
