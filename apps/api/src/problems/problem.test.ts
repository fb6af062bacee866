import type { Problem } from '@jetbeat/core/http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestServer, type TestServer } from '../test-server.ts';
import { ApiError } from './problem.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server.app.close());
const unknown = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 1]));

test.each(['retry', 'timeout', 'uniqueKey', 'nothing that is known'])(
  'nine thousand fields that are unknown, in %s: the first of them are told, and how many there are',
  async (option) => {
    const { status, body } = await server.call('POST /jobs', { task: 'a', [option]: unknown(9_000) });
    expect(status).toBe(400);
    expect(body.errors.length).toBeGreaterThan(0);
    expect(JSON.stringify(body).length).toBeLessThan(65_536);
  },
);

const taking = (inputSchema: object) =>
  server.use({
    fleet: async () => ({
      tasks: new Map([['a', { name: 'a', inputSchema, seenAt: 0 }]]),
      served: new Map(),
    }),
  });

test('of many jobs each tells its first places', async () => {
  taking({ items: { type: 'string' } });
  const wrong = { task: 'a', input: Array.from({ length: 40 }, (_, at) => at) };
  const jobs = [{ task: 'a', input: [] }, wrong, wrong];
  const { status, body } = await server.call<{ items: { error?: Problem }[] }>('POST /jobs/batch', { jobs });
  expect(status).toBe(202);
  expect(body.items.map(({ error }) => error?.errors.length)).toEqual([undefined, 8, 8]);
  expect(body.items.at(-1)?.error?.detail).toContain('(and 37 more)');
});

test('a list of very many words that an input may have is not said whole, each time', async () => {
  const words = Array.from({ length: 20_000 }, (_, at) => `word${at}`);
  taking({ items: { enum: words } });
  const { status, body } = await server.call('POST /jobs', { task: 'a', input: ['x', 'y', 'z', 'u', 'v'] });
  expect(status).toBe(422);
  expect(body.errors[0]?.message).toMatch(/^must be one of word0, word1, .*…$/);
  expect(JSON.stringify(body).length).toBeLessThan(65_536);
});

test('a suggestion is told as a whole, or not at all', () => {
  const issue = { pointer: '/a', code: 'invalid_value', message: 'is wrong' };
  const told = (suggestion: string) =>
    new ApiError('invalid_request', 'wrong', { issues: [{ ...issue, suggestion }] }).issues;
  expect(told('b'.repeat(2_048))).toEqual([{ ...issue, suggestion: 'b'.repeat(2_048) }]);
  expect(told('b'.repeat(2_049))).toEqual([issue]);
});
