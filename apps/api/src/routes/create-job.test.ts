import type { JobAccepted } from '@jetbeat/core/http';
import type { JobToPublish } from '@jetbeat/jetstream';
import type { NewJob } from '@jetbeat/postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestServer, NOW, type TestServer } from '../test-server.ts';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** A fleet with one task that has a schema and a queue of its own. */
const MAIL = {
  tasks: new Map([
    [
      'mail.send',
      {
        name: 'mail.send',
        queue: 'mail',
        priority: 'high' as const,
        seenAt: 0,
        inputSchema: {
          type: 'object',
          required: ['to'],
          properties: { to: { type: 'string' } },
          additionalProperties: false,
        },
      },
    ],
  ]),
  served: new Map([['mail.send', new Set(['mail'])]]),
};

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
beforeEach(() => server.use({}));
afterAll(() => server.app.close());

describe('POST /jobs', () => {
  test('accepted: with a warning when nobody serves the task, in the trace of the caller', async () => {
    const inserted: NewJob[] = [];
    const published: JobToPublish[] = [];
    server.use({
      insertJob: async (job) => void inserted.push(job),
      publish: (job) => void published.push(job),
    });
    const body = {
      task: 'a.b',
      input: { x: 1 },
      delay: '10m',
      retry: { attempts: 2, delay: '1s' },
      meta: { k: 'v' },
    };
    const answer = await server.call<JobAccepted>('POST /jobs', body, { traceparent: TRACEPARENT });
    const { id } = answer.body;
    expect(answer.status).toBe(202);
    expect(answer.headers.location).toBe(`/api/v1/jobs/${id}`);
    expect(answer.headers.traceparent).toBe(TRACEPARENT);
    expect(answer.body).toEqual({
      id,
      state: 'scheduled',
      created: true,
      warnings: [{ code: 'no_worker', message: expect.stringContaining('"a.b"') }],
    });
    expect(inserted).toMatchObject([
      {
        envelope: {
          id,
          queue: 'default',
          priority: 'normal',
          runAt: NOW + 600_000,
          attempt: 1,
          policy: { retry: { attempts: 2, delay: 1_000 } },
        },
        traceparent: TRACEPARENT,
        state: 'scheduled',
      },
    ]);
    expect(published).toMatchObject([{ envelope: { id }, at: NOW + 600_000, traceparent: TRACEPARENT }]);
    expect(server.lines).toContainEqual(
      expect.objectContaining({ job: id, traceId: TRACEPARENT.slice(3, 35) }),
    );
  });

  test('what the task says fills in what the request leaves out, and a live worker takes the warning away', async () => {
    const inserted: NewJob[] = [];
    server.use({
      insertJob: async (job) => void inserted.push(job),
      fleet: async () => MAIL,
    });
    const answer = await server.call<JobAccepted>('POST /jobs', {
      task: 'mail.send',
      input: { to: 'a@example.org' },
    });
    expect(answer.body.warnings).toEqual([]);
    expect(inserted).toMatchObject([{ envelope: { queue: 'mail', priority: 'high' }, state: 'queued' }]);
  });

  test('an input that does not fit its task: 422 with every place', async () => {
    server.use({ fleet: async () => MAIL });
    const answer = await server.call('POST /jobs', { task: 'mail.send', input: { tp: 1 } });
    expect(answer.body).toMatchObject({
      code: 'invalid_input',
      status: 422,
      errors: expect.arrayContaining([
        expect.objectContaining({ pointer: '/input/to', code: 'missing_field' }),
        expect.objectContaining({ pointer: '/input/tp', code: 'unknown_field', suggestion: 'to' }),
      ]),
    });
  });

  test.each([
    [
      'an unknown field',
      { task: 'a', input: 1, prioritty: 'high' },
      '/prioritty',
      'unknown_field',
      'priority',
    ],
    [
      'a field that no key has',
      { task: 'a', input: 1, uniqueKey: { key: 'x', until: 'noon' } },
      '/uniqueKey/until',
      'unknown_field',
      undefined,
    ],
    [
      'a period without a length',
      { task: 'a', input: 1, throttle: { key: 'x' } },
      '/throttle/period',
      'invalid_value',
      undefined,
    ],
    [
      'an unknown field below',
      { task: 'a', input: 1, retry: { atempts: 3 } },
      '/retry/atempts',
      'unknown_field',
      'attempts',
    ],
    ['no task', { input: 1 }, '/task', 'missing_field', undefined],
    ['no input', { task: 'a' }, '/input', 'missing_field', undefined],
    ['a task name with a wildcard', { task: 'a.>', input: 1 }, '/task', 'invalid_value', undefined],
    ['a queue of two tokens', { task: 'a', input: 1, queue: 'a.b' }, '/queue', 'invalid_value', undefined],
    [
      'an unknown priority',
      { task: 'a', input: 1, priority: 'urgent' },
      '/priority',
      'invalid_value',
      undefined,
    ],
    [
      'a number as text',
      { task: 'a', input: 1, retry: { attempts: '3' } },
      '/retry/attempts',
      'invalid_value',
      undefined,
    ],
    ['a delay without a unit', { task: 'a', input: 1, delay: '10' }, '/delay', 'invalid_duration', '10s'],
    [
      'a delay of centuries',
      { task: 'a', input: 1, delay: '99999d' },
      '/delay',
      'invalid_duration',
      undefined,
    ],
    [
      'a day that does not exist',
      { task: 'a', input: 1, runAt: '2026-02-30T00:00:00Z' },
      '/runAt',
      'invalid_time',
      undefined,
    ],
    [
      'delay and runAt',
      { task: 'a', input: 1, delay: '1s', runAt: '2026-05-05T00:00:00Z' },
      '/delay',
      'invalid_value',
      undefined,
    ],
    [
      'soft after hard',
      { task: 'a', input: 1, timeout: { soft: '2s', hard: '1s' } },
      '/timeout/soft',
      'invalid_value',
      undefined,
    ],
    ['U+0000', { task: 'a', input: { text: 'a\0b' } }, '/input/text', 'invalid_text', undefined],
    [
      'half a surrogate pair',
      { task: 'a', input: 1, meta: { k: '\ud800' } },
      '/meta/k',
      'invalid_text',
      undefined,
    ],
    ['a list', [1], '', 'invalid_type', undefined],
  ])('%s: 400 and its place', async (_name, body, pointer, code, suggestion) => {
    const answer = await server.call('POST /jobs', body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: 'invalid_request',
      instance: '/api/v1/jobs',
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(answer.body.errors).toEqual([
      { pointer, code, message: expect.any(String), ...(suggestion === undefined ? {} : { suggestion }) },
    ]);
  });

  test('while there is too little room for new jobs: nothing is stored', async () => {
    const stored: unknown[] = [];
    server.use({ refusal: () => 'JetStream is 83 % full', insertJob: async (job) => void stored.push(job) });
    const answer = await server.call('POST /jobs', { task: 'a', input: 1 });
    expect(answer.body).toMatchObject({
      code: 'storage_full',
      status: 503,
      detail: 'JetStream is 83 % full',
    });
    expect(answer.headers['retry-after']).toBe('5');
    expect(stored).toEqual([]);
    expect((await server.call('POST /jobs', { task: 'a', inptu: 1 })).status).toBe(400);
  });

  test('too large: the body, and the message that the job would be', async () => {
    const body = { task: 'a', input: 'x'.repeat(1_100_000) };
    expect((await server.call('POST /jobs', body)).body).toMatchObject({
      code: 'payload_too_large',
      status: 413,
    });
    server.use({ maxPayload: () => 2_048 });
    const answer = await server.call('POST /jobs', { task: 'a', input: 'x'.repeat(2_000) });
    expect(answer.body).toMatchObject({
      code: 'payload_too_large',
      status: 413,
      errors: [{ pointer: '/input' }],
    });
    expect(answer.body.detail).toMatch(/a message of \d+ bytes, and the NATS server takes 2048/);
  });
});
