import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.ts';
import { fuzzApi } from '../support/fuzz/fuzz-api.ts';
import { seedApi } from '../support/fuzz/seed-api.ts';
import { schemathesis } from '../support/schemathesis.ts';

/** Also those that would refuse everybody who runs this. */
const NO_LIMITS = 'api: { rateLimits: { key: null, address: null, failures: null } }';
/** What is asked of every answer. */
const CHECKS = [
  ...['not_a_server_error', 'status_code_conformance', 'content_type_conformance'],
  ...['response_headers_conformance', 'response_schema_conformance', 'unsupported_method', 'ignored_auth'],
  ...['negative_data_rejection', 'missing_required_header'],
];
/** Streams that never end, and what leads to another host and back. */
const LEFT_OUT = '^/api/v1/(events|jobs/[^/]+/events|session/oidc(/callback)?)$';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ yaml: NO_LIMITS });
  await api.record();
}, 60_000);
afterAll(() => api?.stop(), 60_000);

test('schemathesis finds no 5xx, no hang, no answer that is not as described, and nothing wrong that is taken', async () => {
  const run = await schemathesis();
  const { code, said } = await run(
    [
      ...[
        'run',
        `${api.http.url}/openapi.json`,
        '--phases',
        'examples,coverage,fuzzing',
        '--checks',
        CHECKS.join(','),
      ],
      ...['--header', `Authorization: Bearer ${api.key}`, '--exclude-path-regex', LEFT_OUT],
      ...['--max-examples', '20', '--request-timeout', '8', '--continue-on-failure', '--no-color'],
      // How many of its own tries the generator throws away says nothing of the answers; a list of schedules has many that do not fit.
      ...['--suppress-health-check', 'filter_too_much'],
    ],
    1_500_000,
  );
  expect(said).toContain('SUMMARY');
  expect(code, said.slice(-20_000)).toBe(0);
}, 1_800_000);

test('20,000 random requests, others each time', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { findings } = await fuzzApi({ api, known: await seedApi(api), seed, count: 20_000 });
  expect(findings.join('\n\n'), `seed ${seed}`).toBe('');
}, 600_000);
