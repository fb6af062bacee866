import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server.app.close());

const good = { name: 'n', when: { cron: '0 3 * * *' }, job: { task: 'a', input: 1 } };

async function issues(request: string, body: object) {
  const answer = await server.call(request, body);
  expect(answer.body).toMatchObject({ status: 400, code: 'invalid_request' });
  return answer.body.errors;
}

test.each([
  ['POST /schedules', { ...good, objective: '5s' }, '/objective'],
  ['POST /schedules', { ...good, maxSilence: '1h' }, '/maxSilence'],
  ['PUT /schedules/n', { ...good, maxSilence: '1h' }, '/maxSilence'],
])('%s %j: to come', async (request, body, pointer) => {
  expect(await issues(request, body)).toContainEqual({
    pointer,
    code: 'unknown_field',
    message: `"${pointer.split('/').at(-1)}" is not built yet: leave it out`,
  });
});

test.each([
  ['nextTimes', 'leave it out'],
  ['paused', 'leave it out, and use /pause and /resume'],
  ['version', 'leave it out, and use the header If-Match'],
])('%s of a schedule is told, and cannot be set', async (field, advice) => {
  expect(await issues('PUT /schedules/n', { ...good, [field]: null })).toEqual([
    {
      pointer: `/${field}`,
      code: 'unknown_field',
      message: `"${field}" is told, and cannot be set: ${advice}`,
    },
  ]);
});

test('what pauses a schedule elsewhere leads to what does so here', async () => {
  expect(await issues('PUT /schedules/n', { ...good, enabled: false })).toEqual([
    {
      pointer: '/enabled',
      code: 'unknown_field',
      message: '"enabled" is not known here: use /pause and /resume',
    },
  ]);
});

const schedule = { name: 'n', job: good.job };
test.each([
  [{ ...schedule, schedule: '*/5 * * * *' }, '/schedule', '"when": {"cron": "*/5 * * * *"}?', 'when'],
  [{ ...schedule, interval: 30 }, '/interval', '"when": {"every": "30s"}?', 'when'],
  [{ ...schedule, schedule: 'at nine' }, '/schedule', '"when": {"cron": "0 9 * * *"}?', 'when'],
  [{ ...schedule, eta: '2030-01-01T00:00:00Z' }, '/eta', '"when": {"at": "2030-01-01T00:00:00Z"}?', 'when'],
  [{ ...schedule, eta: 'soon' }, '/eta', '"when": {"at": "2026-05-04T03:00:00Z"}?', 'when'],
  [{ ...schedule, countdown: 30 }, '/countdown', '"when": {"at": "2026-05-04T03:00:00Z"}?', 'when'],
  [{ ...schedule, crontab: { minute: 5 } }, '/crontab', '"when"?', 'when'],
  [{ name: 'n', when: good.when, task: 'a' }, '/task', '"job": {"task": …}?', 'job'],
  [{ name: 'n', when: good.when, kwargs: {} }, '/kwargs', '"job": {"input": …}?', 'job'],
  [{ ...good, expires: '1h' }, '/expires', '"job": {"expires": …}?', 'job'],
])('%j: where a schedule says that here', async (body, pointer, meant, suggestion) => {
  const found = (await issues('POST /schedules', body)).find((issue) => issue.pointer === pointer);
  expect(found).toMatchObject({ code: 'unknown_field', suggestion });
  expect(found?.message).toContain(`did you mean ${meant}`);
});

test.each([
  ['PUT /queues/q', { rateLimit: '100/m' }, 'did you mean {"limit": 100, "period": "1m"}?'],
  ['PATCH /tasks/a', { rateLimit: 5 }, 'did you mean {"limit": 5, "period": "1s"}?'],
  ['PUT /queues/q', { rateLimit: { limit: 1, period: 'minute' } }, 'Did you mean "1m"?'],
  ['PUT /queues/q', { concurrency: 0 }, 'pause the queue (POST /api/v1/queues/{name}/pause)'],
  ['POST /workers/w/concurrency', { value: 0 }, 'drain the worker (POST /api/v1/workers/{id}/drain)'],
  ['POST /batches', { action: 'revoke', filter: { task: 'a' } }, 'did you mean "cancel"?'],
  [
    'POST /jobs',
    { task: 'a', input: 1, ignore_result: true },
    'leave it out: a handler that returns nothing',
  ],
  ['POST /jobs', { task: 'a', input: 1, retry: { max_retries: 3 } }, 'did you mean "attempts"?'],
])('%s %j: what is meant by it here', async (request, body, meant) => {
  expect((await issues(request, body)).map(({ message }) => message)).toEqual([
    expect.stringContaining(meant),
  ]);
});

test('a verb of other systems leads to the address of ours', async () => {
  const id = '0190b5a0-7c00-7000-8000-000000000000';
  const { status, body } = await server.call(`POST /jobs/${id}/revoke`, {});
  expect([status, body.detail]).toEqual([
    404,
    expect.stringContaining(`did you mean /api/v1/jobs/${id}/cancel?`),
  ]);
});

test('one thing in place of a list, and the words of other systems, are told with what was meant', async () => {
  const asked = (state: unknown) => issues('POST /batches', { action: 'retry', filter: { state } });
  expect(await asked('dead')).toEqual([
    {
      pointer: '/filter/state',
      code: 'invalid_type',
      suggestion: '["dead"]',
      message: 'must be array; did you mean ["dead"]?',
    },
  ]);
  expect(await asked('failed')).toMatchObject([{ suggestion: '["dead"]' }]);
  expect(await asked(['FAILURE'])).toMatchObject([
    {
      pointer: '/filter/state/0',
      suggestion: 'dead',
      message: expect.stringMatching(/; did you mean "dead"\?$/),
    },
  ]);
});

test('what is in no interface stays unknown, and so does what is in another place', async () => {
  expect(await issues('POST /schedules', { ...good, else: '1h' })).toMatchObject([
    { pointer: '/else', message: expect.stringMatching(/^"else" is not known here; known are name, /) },
  ]);
  expect(await issues('POST /schedules', { ...good, job: { ...good.job, eta: 'soon' } })).toMatchObject([
    { pointer: '/job/eta', message: expect.stringMatching(/^"eta" is not known here; known are task, /) },
  ]);
  for (const field of ['constructor', 'toString', 'valueOf', 'hasOwnProperty'])
    expect(await issues('POST /schedules', { ...good, [field]: 1 })).toMatchObject([
      { pointer: `/${field}`, message: expect.stringContaining(`"${field}" is not known here; known are`) },
    ]);
});

test.each([
  ['0 9 * * *', '/when', '{"cron": "0 9 * * *"}'],
  ['@daily', '/when', '{"cron": "@daily"}'],
  ['FREQ=DAILY', '/when', '{"rrule": "FREQ=DAILY"}'],
  ['10s', '/when', '{"every": "10s"}'],
  ['2030-01-01T00:00:00Z', '/when', '{"at": "2030-01-01T00:00:00Z"}'],
  [[{ every: '1s' }, '* * * * *'], '/when/1', '{"cron": "* * * * *"}'],
])('the rule %j: what it was meant to be', async (when, pointer, suggestion) => {
  expect(await issues('POST /schedules', { ...good, when })).toEqual([
    {
      pointer,
      code: 'invalid_type',
      suggestion,
      message: `must be a rule: did you mean ${suggestion}?`,
    },
  ]);
});

test.each(['daily', 5, null, 'x '.repeat(100_000)])('the rule %j: how rules look', async (when) => {
  const [issue] = await issues('POST /schedules', { ...good, when });
  expect(issue?.message).toBe(
    'must be a rule such as {"cron": "0 9 * * *"}, {"every": "10s"} or {"at": "2026-05-04T03:00:00Z"}, or a list of them',
  );
});

test('a wrong value in a rule is said of the value, with one that is right', async () => {
  const form = 'One number and one unit of ms, s, m, h, d. For example "90s".';
  expect(await issues('POST /schedules', { ...good, when: { every: 10 } })).toEqual([
    {
      pointer: '/when/every',
      code: 'invalid_type',
      suggestion: '10s',
      message: `must be string (${form}) Did you mean "10s"?`,
    },
  ]);
  expect(await issues('POST /schedules', { ...good, when: { every: '10' } })).toEqual([
    {
      pointer: '/when/every',
      code: 'invalid_duration',
      suggestion: '10s',
      message: `is not of this form: ${form} Did you mean "10s"?`,
    },
  ]);
  expect(await issues('POST /schedules', { ...good, when: { every: 'often' } })).toEqual([
    { pointer: '/when/every', code: 'invalid_duration', message: `is not of this form: ${form}` },
  ]);
});

test('of values and objects, both are named', async () => {
  expect(await issues('POST /schedules', { ...good, catchUp: 'all' })).toMatchObject([
    { pointer: '/catchUp', message: 'must be one of latest, none, {"all": …}' },
  ]);
});
