import { readFileSync } from 'node:fs';
import type { PreviewAnswer } from '@jetbeat/core/http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestServer, NOW, type TestServer } from '../test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
beforeEach(() => server.use({}));
afterAll(() => server.app.close());

/** The examples of a page: a body, and what is shown below it. */
const PAGE = readFileSync(new URL('../../../../docs/when.md', import.meta.url), 'utf8');
const EXAMPLES = [...PAGE.matchAll(/```json\n([^`]*)\n```\n\n```text\n([^`]*)```/g)].map(
  ([, body = '', shown = '']) => ({
    body,
    shown: shown.trimEnd().split('\n'),
  }),
);

test('the page on when has an example of every form', () => {
  expect(EXAMPLES).toHaveLength(PAGE.split('```json').length - 1);
  const forms = [
    'cron',
    'every',
    'at',
    'hourly',
    'daily',
    'weekly',
    'monthly',
    'rrule',
    'solar',
    'dates',
    'ical',
    'startAt',
    'dst',
  ];
  for (const form of forms)
    expect(
      EXAMPLES.some(({ body }) => body.includes(`"${form}"`)),
      form,
    ).toBe(true);
});

test.each(EXAMPLES)('$body', async ({ body, shown }) => {
  const warnings = shown.filter((line) => line.startsWith('warning: '));
  const count = Math.max(1, shown.length - warnings.length);
  const answer = await server.call<PreviewAnswer>('POST /schedules/preview', { count, ...JSON.parse(body) });
  expect(answer.status).toBe(200);
  expect([
    ...answer.body.items.map((item) =>
      [`${item.local}${item.offset}`, ...item.warnings.map(({ code }) => code)].join('  '),
    ),
    ...answer.body.warnings.map(({ code }) => `warning: ${code}`),
  ]).toEqual(shown);
});

test('without a count and a begin: ten times from now on', async () => {
  const { body } = await server.call<PreviewAnswer>('POST /schedules/preview', { when: { every: '1m' } });
  expect(body.items.map(({ nominalTime }) => Date.parse(nominalTime) - NOW)).toEqual(
    Array.from({ length: 10 }, (_, index) => (index + 1) * 60_000),
  );
  expect(body.items[0]).toEqual({
    nominalTime: '2026-05-04T00:01:00.000Z',
    local: '2026-05-04T00:01:00',
    offset: '+00:00',
    warnings: [],
  });
});

test.each([
  [400, { when: { cron: '* * * * *' }, count: 101 }, '/count', 'invalid_value'],
  [400, { when: { cron: '* * * * *' }, job: {} }, '/job', 'unknown_field'],
  [400, { when: '0 9 * * *' }, '/when', 'invalid_type'],
  [400, { when: { weekly: { weekday: 'mon', hour: 8 } } }, '/when/weekly/weekday', 'invalid_value'],
  [400, { when: { daily: { hour: 24 } } }, '/when/daily/hour', 'invalid_value'],
  [400, { when: { daily: { hours: 2 } } }, '/when/daily/hours', 'unknown_field'],
  [
    400,
    { when: { solar: { event: 'sunrize', latitude: 0, longitude: 0 } } },
    '/when/solar/event',
    'invalid_value',
  ],
  [400, { when: { cron: '* * * * *' }, from: '2026-02-30T00:00:00Z' }, '/from', 'invalid_time'],
  [422, { when: { cron: '61 * * * *' } }, '/when/cron', 'invalid_cron'],
  [422, { when: { rrule: 'FREQ=DAILY;BYHOUR=24' } }, '/when/rrule', 'invalid_rrule'],
  [422, { when: [{ every: '1s' }, { cron: '0 0 30 2 *' }] }, '/when/1/cron', 'never_fires'],
  [422, { when: { every: '1s' }, exclude: [{ ical: 'hello' }] }, '/exclude/0/ical', 'invalid_ical'],
  [422, { when: { every: '1s' }, exclude: [{ cron: '* * * * *' }] }, '/exclude', 'never_fires'],
])('%s for %j at %s', async (status, body, pointer, code) => {
  const answer = await server.call('POST /schedules/preview', body);
  expect(answer.body).toMatchObject({
    status,
    code: status === 400 ? 'invalid_request' : 'invalid_schedule',
  });
  expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer, code }));
});
