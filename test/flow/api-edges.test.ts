import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.ts';
import { STRANGE_TEXTS } from '../support/fuzz/strange.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
}, 60_000);
afterAll(() => api?.stop(), 60_000);

/** What PostgreSQL cannot keep is refused as such. */
const KEPT = STRANGE_TEXTS.filter((text) => text.isWellFormed() && !text.includes('\0'));

test('what is hostile in SQL, shells, pages, logs and paths is data: kept, and given back as it was', async () => {
  const input = { texts: KEPT };
  const { id } = await api.enqueue({ task: 'system.echo', input, meta: { note: "'; drop table job; --" } });
  const { body } = await api.http.call<{ input: unknown; meta: unknown }>('GET', `/jobs/${id}`);
  expect(body).toMatchObject({ input, meta: { note: "'; drop table job; --" } });
});

test.each(['task', 'queue', 'schedule', 'search', 'cursor', 'from', 'state', 'limit', 'meta.x'])(
  'SQL in the filter %s finds nothing that it should not, and takes no time',
  async (name) => {
    for (const text of STRANGE_TEXTS.filter((each) => /['"$%;\\]|sleep|\0/.test(each))) {
      const begun = performance.now();
      const path = `/jobs?${name}=${encodeURIComponent(text.toWellFormed())}`;
      const { status, body } = await api.http.call<{ items?: unknown[] }>('GET', path);
      expect([200, 400], path).toContain(status);
      if (status === 200 && name !== 'search') expect(body.items, path).toEqual([]);
      expect(performance.now() - begun).toBeLessThan(5_000);
    }
  },
);

test('no line break of a caller comes into a header', async () => {
  const evil = 'a%0d%0aset-cookie:%20x=y';
  for (const [method, path] of [
    ['GET', `/schedules/${evil}`],
    ['PUT', `/schedules/${evil}`],
    ['GET', `/jobs/${evil}`],
    ['PURGE', `/queues/${evil}`],
    ['GET', `/jobs?cursor=${evil}`],
  ] as const) {
    const answer = await api.http
      .call(method, path, undefined, { traceparent: '00-x' })
      .catch(() => undefined);
    expect(answer?.headers.get('set-cookie') ?? null, path).toBeNull();
  }
});

test.each([
  '../../package.json',
  '..%2f..%2fpackage.json',
  '%2e%2e/%2e%2e/package.json',
  '..%5c..%5cpackage.json',
  '%00',
])('nothing but the reference is served below /docs: %s', async (path) => {
  for (const base of ['/docs/', '/docs/static/']) {
    const answer = await fetch(`${api.http.url}${base}${path}`);
    const text = await answer.text();
    expect([400, 403, 404], `${base}${path}`).toContain(answer.status);
    expect(text).not.toContain('dependencies');
  }
});
