import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestServer, type TestServer } from '../test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server.app.close());

test.each(['/openapi.json', '/docs/json', '/docs/yaml'])(
  '%s is written once, and who has it already is told so',
  async (url) => {
    const { app } = server;
    const first = await app.inject(url);
    const { etag = '' } = first.headers;
    expect([first.statusCode, first.headers['cache-control']]).toEqual([200, 'no-cache']);
    const isYaml = url.endsWith('yaml');
    expect(first.headers['content-type']).toMatch(isYaml ? /yaml/ : /^application\/json/);
    expect(first.body).toBe(isYaml ? app.swagger({ yaml: true }) : JSON.stringify(app.swagger()));
    // Were it written for each request it would be another one now.
    Object.assign(app.swagger(), { 'x-later': true });
    expect((await app.inject(url)).body === first.body).toBe(true);
    delete (app.swagger() as { 'x-later'?: true })['x-later'];
    for (const known of [etag, `"other", W/${etag}`, '*']) {
      const again = await app.inject({ url, headers: { 'if-none-match': known } });
      expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', etag]);
    }
    const other = await app.inject({ url, headers: { 'if-none-match': '"other"' } });
    expect([other.statusCode, other.headers.etag]).toEqual([200, etag]);
    const head = await app.inject({ method: 'HEAD', url });
    expect([head.statusCode, head.body, head.headers.etag]).toEqual([200, '', etag]);
  },
);
