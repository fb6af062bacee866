import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createTestServer, type TestServer } from '../test-server.ts';
import { showKey } from './reference.ts';

const PAGE = pathToFileURL(join(import.meta.dirname, 'reference/who.js')).href;
const KEY = '-H "Authorization: Bearer $JETBEAT_API_KEY"';
let opened = 0;
let server: TestServer;
beforeAll(async () => {
  server = await createTestServer();
});
afterEach(() => vi.unstubAllGlobals());
afterAll(() => server.app.close());

type Answers = Readonly<Record<string, readonly [status: number, body?: object]>>;

/** Opens the reference, as far as its script sees one; what it says, each time that it says something. */
async function open(answers: Answers) {
  const said: string[][] = [];
  const listeners = new Map<string, (event: object) => unknown>();
  const more = { said: () => {} };
  const element = () => ({
    id: '',
    href: '',
    textContent: '',
    replaceChildren(text: string, link: { href: string; textContent: string }) {
      said.push([text, link.textContent, link.href]);
      more.said();
    },
  });
  const listen = (event: string, listener: (happened: object) => unknown) => listeners.set(event, listener);
  vi.stubGlobal('document', {
    createElement: element,
    body: { prepend() {} },
    visibilityState: 'visible',
    addEventListener: listen,
  });
  vi.stubGlobal('window', { addEventListener: listen });
  vi.stubGlobal('fetch', async (path: string) => {
    const [status, body = {}] = answers[path] ?? [404];
    return Response.json(body, { status });
  });
  const next = () =>
    new Promise<string[] | undefined>((resolve) => {
      more.said = () => resolve(said.at(-1));
    });
  const first = next();
  await import(/* @vite-ignore */ `${PAGE}?${opened++}`);
  return { first: await first, next, tell: (event: string, what = {}) => listeners.get(event)?.(what) };
}

test('the reference shows who is signed in, and where to sign out', async () => {
  const page = await open({
    '/api/v1/session/ways': [200, { signedIn: true }],
    '/api/v1/session': [200, { name: 'Ada <b>', role: 'viewer' }],
  });
  expect(page.first).toEqual([
    'Signed in as Ada <b> (viewer): requests from this page are made so. ',
    'Sign out',
    '/sign-in',
  ]);
  // It looks again when one comes back to it.
  for (const [event, what] of [['visibilitychange'], ['pageshow', { persisted: true }]] as const) {
    const again = page.next();
    page.tell(event, what);
    expect((await again)?.[1]).toBe('Sign out');
  }
});

test.each<[string, Answers, RegExp]>([
  ['nobody is', { '/api/v1/session/ways': [200, { signedIn: false }] }, /^Not signed in/],
  [
    'the session is over',
    { '/api/v1/session/ways': [200, { signedIn: true }], '/api/v1/session': [401] },
    /^Not signed in/,
  ],
  ['nobody can tell', { '/api/v1/session/ways': [503] }, /cannot be told now/],
])('the reference leads to where one signs in: %s', async (_name, answers, text) => {
  const { first } = await open(answers);
  expect(first?.[0]).toMatch(text);
  expect(first?.slice(1)).toEqual(['Sign in', '/sign-in']);
});

test('the curl of a request has a key exactly where the description says that one is needed, and it has none', async () => {
  const { paths } = (await server.call<Described>('GET /openapi.json')).body;
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { security }] of Object.entries(methods)) {
      const url = `http://127.0.0.1:7420${path.replaceAll(/\{\w+\}/g, 'x')}?limit=1`;
      const needed = security?.length !== 0 && path.startsWith('/api/');
      const shown = (headers: Record<string, string>) =>
        showKey({ url, method: method.toUpperCase(), headers }).curlOptions;
      expect(shown({}), `${method} ${path}`).toEqual(needed ? [KEY] : []);
      expect(shown({ Authorization: 'Bearer x' })).toEqual([]);
    }
  }
});

test('the page gets both, under its strict policy, and what it is given runs by itself', async () => {
  const page = await server.app.inject('/docs/');
  for (const file of ['who.js', 'who.css']) {
    expect(page.body).toContain(`./static/theme/${file}"`);
    const { statusCode, headers } = await server.app.inject(`/docs/static/theme/${file}`);
    expect(statusCode).toBe(200);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
  }
  expect(page.body).not.toMatch(/<script>|style="|onload=/);
  const initializer = (await server.app.inject('/docs/static/swagger-initializer.js')).body;
  const [, source = ''] = /"requestInterceptor":([\s\S]*?\n})/.exec(initializer) ?? [];
  const given = new Function(`return (${source})`)() as typeof showKey;
  expect(given({ url: '/api/v1/jobs' }).curlOptions).toEqual([KEY]);
});

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { security?: readonly object[] }>>>>;
}
