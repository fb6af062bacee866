import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server.app.close());

test.each(['/session/oidc', '/session/oidc/callback?code=x&state=y'])(
  '%s where nobody is configured: programs are told so, people are led to the page that says it',
  async (path) => {
    const url = `/api/v1${path}`;
    expect(await server.call(`GET ${url}`)).toMatchObject({
      status: 404,
      body: { code: 'oidc_not_configured', detail: expect.stringContaining('api.oidc') },
    });
    const { statusCode, headers, body } = await server.app.inject({ url, headers: { accept: 'text/html' } });
    expect([statusCode, headers.location, body]).toEqual([303, '/sign-in#error=oidc_not_configured', '']);
  },
);

test('a mistake in the address is told alike', async () => {
  expect(await server.call('GET /api/v1/session/oidc?returnto=/docs')).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '?returnto', code: 'unknown_field' }] },
  });
});
