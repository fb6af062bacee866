import { DatabaseUnavailableError } from '@jetbeat/postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestServer, type TestServer } from '../test-server.ts';
import { readiness } from '../watching/health-checks.ts';

const WHERE = 'connect ECONNREFUSED 10.1.2.3:5432';
let server: TestServer;
let pings: number;
let answer: ReturnType<typeof Promise.withResolvers<void>>;
beforeEach(async () => {
  pings = 0;
  answer = Promise.withResolvers<void>();
  const publisher = { moving: true, waiting: 0, lastProgressAt: 0 };
  const ping = async () => {
    pings += 1;
    await answer.promise;
  };
  server = await createTestServer({
    ready: () => readiness({ db: { ping }, isConnected: () => true, publisher, refusal: undefined }),
  });
});
afterEach(() => server.app.close());

test('a thousand that ask at once are one statement', async () => {
  const asked = Array.from({ length: 1_000 }, () => server.app.inject('/readyz'));
  answer.resolve();
  const answers = await Promise.all(asked);
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
  // A slow machine may answer the last ones when the first answer is not fresh any more.
  expect(pings).toBeLessThanOrEqual(100);
});

test.each<[string, { remoteAddress?: string; headers?: Record<string, string> }]>([
  ['from elsewhere', { remoteAddress: '192.0.2.1' }],
  ['through a proxy on this machine, named or not', { headers: { 'x-forwarded-for': '127.0.0.1' } }],
  ['through one that speaks as RFC 7239 says', { headers: { forwarded: 'for=127.0.0.1' } }],
])(
  'whoever asks %s is told which checks are in order, not where PostgreSQL is; the log is',
  async (_name, from) => {
    answer.reject(new DatabaseUnavailableError(WHERE));
    const { statusCode, body } = await server.app.inject({ url: '/readyz', ...from });
    expect([statusCode, JSON.parse(body)]).toEqual([
      503,
      {
        ok: false,
        checks: [
          { name: 'database', ok: false },
          { name: 'nats', ok: true },
          { name: 'publisher', ok: true },
          { name: 'storage', ok: true },
        ],
      },
    ]);
    await server.app.inject({ url: '/readyz', ...from });
    const told = server.lines.filter(({ msg }) => String(msg).includes('/readyz'));
    expect(told).toHaveLength(1);
    expect(JSON.stringify(told)).toContain(WHERE);
    // On the machine itself one is told.
    expect((await server.app.inject('/readyz')).body).toContain(WHERE);
  },
);
