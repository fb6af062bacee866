import { expect, test } from 'vitest';
import { HOME } from '../access/door.ts';
import { createTestServer } from '../test-server.ts';
import { callerAddress } from './caller-address.ts';

const PROXY = '10.0.0.1';

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7:50412', '203.0.113.7'],
  ['2001:db8::1', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['[2001:db8::1]:50412', '2001:db8::1'],
  ['::ffff:203.0.113.7', '::ffff:203.0.113.7'],
  ['unknown', PROXY],
  ['_hidden:1', PROXY],
  ['203.0.113.7:50412:1', PROXY],
  ['[203.0.113.7', PROXY],
  ['', PROXY],
])('%s is %s', (ip, address) => {
  expect(callerAddress({ ip, socket: { remoteAddress: PROXY } as never })).toBe(address);
});

test.each([
  ['with a port', (index: number) => `203.0.113.7:${20_000 + index}`],
  ['of IPv6 with a port', (index: number) => `[2001:db8::1]:${20_000 + index}`],
  ['that is none', (index: number) => `garbage${index}`],
  ['behind another proxy that tells its port', (index: number) => `203.0.113.7:${index}, 10.0.0.2:${index}`],
])('limits hold for an address %s as a proxy tells it', async (_name, told) => {
  const { app } = await createTestServer({
    door: { ...HOME, secure: true, trustedProxies: ['10.0.0.0/8'] },
    limits: { failures: { limit: 2, periodMs: 1_000, burst: 2 } },
    monotonic: () => 0,
  });
  const ask = async (forwarded: string) => {
    const headers = { 'x-forwarded-for': forwarded, authorization: `Bearer jb_nobody_${'s'.repeat(43)}` };
    return (await app.inject({ url: '/api/v1/jobs', headers, remoteAddress: PROXY })).statusCode;
  };
  expect([await ask(told(1)), await ask(told(2)), await ask(told(3))]).toEqual([401, 401, 429]);
  expect(await ask('203.0.113.8:1')).toBe(401);
  await app.close();
});
