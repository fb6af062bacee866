import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
beforeEach(() => server.use({}));
afterAll(() => server.app.close());

describe('POST /schedules', () => {
  const good = { name: 'n', when: { cron: '0 3 * * *' }, job: { task: 'a', input: 1 } };
  test.each([
    ['an unknown rule', 400, { ...good, when: { cronn: '* * * * *' } }, '/when/cronn', 'unknown_field'],
    [
      'a rule of a list',
      400,
      { ...good, when: [{ every: '1s' }, { every: 5 }] },
      '/when/1/every',
      'invalid_type',
    ],
    ['no rule at all', 400, { ...good, when: 'daily' }, '/when', 'invalid_type'],
    ['two rules in one', 400, { ...good, when: { cron: 'x', every: '1s' } }, '/when/every', 'invalid_value'],
    ['an option that is not built', 400, { ...good, maxSilence: '1d' }, '/maxSilence', 'unknown_field'],
    ['an option that is nearly known', 400, { ...good, jiter: '1s' }, '/jiter', 'unknown_field'],
    ['what is only told', 400, { ...good, nextTimes: [] }, '/nextTimes', 'unknown_field'],
    ['an unknown overlap', 400, { ...good, overlap: 'queue' }, '/overlap', 'invalid_value'],
    ['a spread of nothing', 400, { ...good, catchUp: { spread: '1s' } }, '/catchUp/all', 'missing_field'],
    ['a label that is no text', 400, { ...good, labels: { a: 1 } }, '/labels/a', 'invalid_type'],
    ['no failures at all', 400, { ...good, pauseAfterFailures: 0 }, '/pauseAfterFailures', 'invalid_value'],
    ['a wrong catch-up', 400, { ...good, catchUp: { all: 0 } }, '/catchUp/all', 'invalid_value'],
    [
      'a delay in its job',
      400,
      { ...good, job: { ...good.job, delay: '1s' } },
      '/job/delay',
      'unknown_field',
    ],
    ['a name with a space', 400, { ...good, name: 'a b' }, '/name', 'invalid_value'],
    [
      'a cron that cannot be read',
      422,
      { ...good, when: { cron: '60 25 32 13 8' } },
      '/when/cron',
      'invalid_cron',
    ],
    ['a cron that never fires', 422, { ...good, when: { cron: '0 0 31 2 *' } }, '/when/cron', 'never_fires'],
    ['an unknown zone', 422, { ...good, timeZone: 'Europe/Pariss' }, '/timeZone', 'unknown_time_zone'],
    ['a time that is over', 422, { ...good, when: { at: '2020-01-01T00:00:00Z' } }, '/when', 'never_fires'],
  ])('%s: its clear error', async (_name, status, body, pointer, code) => {
    const answer = await server.call('POST /schedules', body);
    expect(answer.body).toMatchObject({
      status,
      code: status === 400 ? 'invalid_request' : 'invalid_schedule',
    });
    expect(answer.body.errors).toContainEqual(expect.objectContaining({ pointer, code }));
  });

  test('a job that would never fit into a message: 413', async () => {
    server.use({ maxPayload: () => 4_096 });
    const job = { ...good.job, input: 'x'.repeat(2_100) };
    expect((await server.call('POST /schedules', { ...good, job })).body).toMatchObject({
      status: 413,
      code: 'payload_too_large',
      errors: [{ pointer: '/job/input' }],
    });
  });
});
