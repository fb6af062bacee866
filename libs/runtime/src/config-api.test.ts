import { expect, test } from 'vitest';
import { loadConfig } from './config.ts';
import { addressesIn, apiSection } from './config-api.ts';

const read = (section: object) => apiSection(section, () => 1);

test('nothing said: no https of its own, no proxy', () => {
  expect(read({})).toMatchObject({ trustedProxies: [] });
  expect(read({})).not.toHaveProperty('tls');
});

test('only who has no right key is limited, unless it is configured', () => {
  const read = (section: object) => apiSection(section, () => 1_000).rateLimits;
  const failures = { limit: 60, periodMs: 1_000, burst: 60 };
  expect(read({})).toEqual({ failures });
  const key = { limit: 5, periodMs: 1_000, burst: 9 };
  expect(read({ rateLimits: { key: { limit: 5, period: '1s', burst: 9 } } })).toEqual({ key, failures });
  expect(read({ rateLimits: { failures: null, address: null } })).toEqual({});
});

test('streams and connections have limits that fit to each other', () => {
  const limits = { streams: 1_000, perCaller: 100, waitingBytes: 64 * 1_024 ** 2 };
  const waitingOfOne = { most: 262_144, least: 16_384 };
  expect(read({})).toMatchObject({ connections: 5_000, streams: { ...limits, waitingOfOne } });
  const streams = { limit: 10, perCaller: 2, waiting: '1MiB', waitingPerClient: '32KiB' };
  expect(read({ connections: 60, streams })).toMatchObject({
    connections: 60,
    streams: {
      streams: 10,
      perCaller: 2,
      waitingBytes: 1_048_576,
      waitingOfOne: { most: 32_768, least: 16_384 },
    },
  });
  const wrong = (section: object) => () => read(section);
  expect(wrong({ streams: { waitingPerClient: '8KiB' } })).toThrow('8KiB is less than 16KiB');
  expect(wrong({ streams: { limit: 5_000 } })).toThrow('64MiB is less than 16KiB for each of 5000 streams');
  expect(wrong({ connections: 1_000 })).toThrow('1000 leaves less than 50 beside 1000 streams');
});

test('everything can come from the environment', () => {
  const env = {
    JETBEAT_TLS_CERT: '/c.pem',
    JETBEAT_TLS_KEY: '/k.pem',
    JETBEAT_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    JETBEAT_PUBLIC_URL: 'https://jetbeat.example.org/',
  };
  expect(loadConfig({ env, app: 'api', cwd: import.meta.dirname }).api).toMatchObject({
    tls: { cert: '/c.pem', key: '/k.pem' },
    trustedProxies: ['10.0.0.0/8', '::1'],
    publicUrl: 'https://jetbeat.example.org',
  });
});

test.each([
  [{ JETBEAT_TLS_CERT: '/c.pem' }, /key/],
  [{ JETBEAT_PUBLIC_URL: 'https://user@host/' }, /publicUrl|JETBEAT_PUBLIC_URL/],
  [{ JETBEAT_PUBLIC_URL: 'https://host/path' }, /publicUrl|JETBEAT_PUBLIC_URL/],
  [{ JETBEAT_TRUSTED_PROXIES: 'proxy.local' }, /"proxy\.local" is no address/],
  [{ JETBEAT_TRUSTED_PROXIES: '10.0.0.0/33' }, /no address and no range/],
  [{ JETBEAT_TRUSTED_PROXIES: '0.0.0.0/0' }, /"0\.0\.0\.0\/0" is everybody/],
  [{ JETBEAT_TRUSTED_PROXIES: '::/0' }, /is everybody/],
])('%j is refused', (env, message) => {
  expect(() => loadConfig({ env, app: 'api', cwd: import.meta.dirname })).toThrow(message);
});

test('addresses of a range, however they are written', () => {
  const isOne = addressesIn(['10.0.0.0/8', '192.168.1.1', 'fd00::/8']);
  for (const address of ['10.1.2.3', '192.168.1.1', 'fd12::1', '::ffff:10.1.2.3'])
    expect(isOne(address), address).toBe(true);
  for (const address of ['11.1.2.3', '192.168.1.2', 'fe80::1', '', 'x', '::ffff:11.0.0.1'])
    expect(isOne(address), address).toBe(false);
});
