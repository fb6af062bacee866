import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server.app.close());

test.each([
  ['GET', '/api/v1/job', '/api/v1/jobs'],
  ['GET', '/api/jobs?limit=1', '/api/v1/jobs'],
  ['GET', '/api/v2/jobs', '/api/v1/jobs'],
  ['GET', '/v1/schedule/n/next', '/api/v1/schedules/n/next'],
  ['POST', '/api/v1/queue/mail/pause', '/api/v1/queues/mail/pause'],
  ['GET', '/api/v1/audit/', '/api/v1/audit'],
  ['POST', '/api/v1/flows', undefined],
  ['DELETE', '/api/v1/stat', undefined],
  ['GET', '/nothing', undefined],
  ['GET', `/${'/'.repeat(10_000)}x`, undefined],
] as const)('%s %s leads to %s', async (method, url, meant) => {
  const { statusCode, body } = await server.app.inject({ method, url });
  const { code, detail } = JSON.parse(body) as { code: string; detail: string };
  expect([statusCode, code]).toEqual([404, 'route_not_found']);
  if (meant === undefined) expect(detail).toMatch(/does not exist: see \/docs$/);
  else expect(detail).toContain(`see /docs; did you mean ${meant}?`);
});
