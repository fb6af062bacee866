import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.ts';
import { fuzzApi } from '../support/fuzz/fuzz-api.ts';
import { seedApi } from '../support/fuzz/seed-api.ts';

/** `npm run test:long` takes another one each time. */
const SEED = 20_261_120;
const REQUESTS = 20_000;
/** Signing in takes a key or a provider, and signing out a cookie or a provider: nobody does it by luck. */
const NOT_BY_LUCK = ['signIn', 'signOut', 'beginOidcSignIn', 'endOidcSignIn', 'signOutOfOidc'];

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ yaml: 'api: { rateLimits: { key: null, address: null, failures: null } }' });
}, 60_000);
afterAll(() => api?.stop(), 60_000);

test('20,000 random requests: no 5xx, no hang, every answer as described, nothing written by what is refused', async () => {
  await api.record();
  const known = await seedApi(api);
  const fuzzed = await fuzzApi({ api, known, seed: SEED, count: REQUESTS });
  expect(fuzzed.findings.join('\n\n')).toBe('');
  expect(fuzzed.neverDone.filter((name) => !NOT_BY_LUCK.includes(name))).toEqual([]);
  expect(fuzzed.sent).toBeGreaterThan(0.9 * REQUESTS);
  expect(fuzzed.watched).toBeGreaterThan(REQUESTS / 10);
}, 300_000);
