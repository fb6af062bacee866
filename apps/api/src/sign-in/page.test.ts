import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';

const PAGE = pathToFileURL(join(import.meta.dirname, 'page/sign-in.js')).href;
let opened = 0;

afterEach(() => vi.unstubAllGlobals());

type Listener = (event: { preventDefault(): void }) => Promise<void>;

interface Element {
  hidden: boolean;
  textContent: string;
  value: string;
  focus(): void;
  addEventListener(event: string, listener: Listener): void;
  click?: Listener;
}

/** Opens the page, as far as its script sees one. @param answer what the API says, by method and path */
async function open(hash: string, answer: (asked: string) => [status: number, body: object]) {
  const elements = new Map<string, Element>();
  const element = (id: string) => {
    const made: Element = elements.get(id) ?? {
      hidden: true,
      textContent: '',
      value: '',
      focus() {},
      addEventListener(_event, listener) {
        made.click = listener;
      },
    };
    elements.set(id, made);
    return made;
  };
  const asked: string[] = [];
  const waiting: boolean[] = [];
  const left: string[] = [];
  const location = { hash, pathname: '/sign-in', assign: (url: string) => void left.push(url) };
  vi.stubGlobal('document', { getElementById: element, querySelectorAll: () => [] });
  vi.stubGlobal('location', location);
  vi.stubGlobal('history', { replaceState: () => Object.assign(location, { hash: '' }) });
  vi.stubGlobal('addEventListener', () => {});
  vi.stubGlobal('fetch', async (path: string, init: { method: string; body?: string }) => {
    asked.push(`${init.method} ${path} ${init.body ?? ''}`.trim());
    waiting.push(!element('waiting').hidden);
    const [status, body] = answer(`${init.method} ${path}`);
    return Response.json(body, { status });
  });
  await import(/* @vite-ignore */ `${PAGE}?${opened++}`);
  return {
    asked,
    /** At each request, whether the page said that it waits. */
    waiting,
    left,
    location,
    done: () => element('done').textContent,
    said: () => element('message').textContent,
    shown: (...ids: string[]) => ids.map((id) => !element(id).hidden),
    click: (id: string) => element(id).click?.({ preventDefault() {} }),
  };
}

const WAYS = 'GET /api/v1/session/ways';
const ADA = { name: 'Ada', role: 'viewer', queues: null, payloads: true, expiresAt: 0, idleUntil: 0 };
const api =
  (signedIn: boolean) =>
  (asked: string): [number, object] =>
    asked === WAYS ? [200, { key: true, oidc: null, signedIn }] : [200, ADA];

test.each([
  ['how one may sign in', api(false), 'with-key'],
  ['who is signed in', api(true), 'signed-in'],
  ['what is wrong', (): [number, object] => [503, { detail: 'Not now.' }], 'message'],
])('until the first answer the page says that it waits, then %s', async (_then, answer, shown) => {
  const page = await open('', answer);
  expect(page.waiting[0]).toBe(true);
  expect(page.shown('waiting', shown)).toEqual([false, true]);
});

test.each([false, true])(
  'a link is followed when its button is pressed, and not before: signed in: %s',
  async (is) => {
    const page = await open('#code=c', api(is));
    expect(page.asked).toEqual([WAYS, ...(is ? ['GET /api/v1/session'] : [])]);
    expect(page.location.hash).toBe('');
    expect(page.shown('with-link', 'signed-in', 'with-key', 'anew')).toEqual([true, false, false, is]);
    await page.click('follow');
    expect(page.asked.at(-1)).toBe('POST /api/v1/session {"code":"c"}');
    expect(page.shown('with-link', 'signed-in')).toEqual([false, true]);
  },
);

test('a link that holds no more is said to, and one can sign in another way', async () => {
  const page = await open('#code=c', (asked) =>
    asked.startsWith('POST') ? [401, { detail: 'it was followed' }] : api(false)(asked),
  );
  await page.click('follow');
  expect([page.said(), ...page.shown('with-link', 'with-key')]).toEqual(['it was followed', false, true]);
});

test('a link that is left alone is gone, and one can sign in another way', async () => {
  const page = await open('#code=c', api(false));
  await page.click('stay');
  expect(page.shown('with-link', 'with-key')).toEqual([false, true]);
  expect(page.asked.some((each) => each.startsWith('POST'))).toBe(false);
});

test('a link is not lost where the ways cannot be asked for', async () => {
  const page = await open('#code=c', () => [503, { detail: 'busy' }]);
  expect([page.said(), ...page.shown('with-link')]).toEqual(['busy', true]);
});

describe('who is signed in', () => {
  const OIDC = { name: 'Company login', url: '/x', signOutUrl: '/api/v1/session/oidc/sign-out' };
  const signedInBy =
    (beganBy: string, oidc: object | null, ended = 0) =>
    (asked: string): [number, object] => {
      if (asked.startsWith('DELETE')) return [200, {}];
      if (asked.startsWith('POST')) return [200, { ended }];
      return asked === WAYS ? [200, { key: true, oidc, signedIn: true }] : [200, { ...ADA, beganBy }];
    };

  test.each([
    ['oidc', OIDC, [OIDC.signOutUrl]],
    ['oidc', { ...OIDC, signOutUrl: null }, []],
    ['oidc', null, []],
    ['key', OIDC, []],
    ['link', OIDC, []],
  ])('by %s: signs out here, and is led on by %j', async (beganBy, oidc, left) => {
    const page = await open('', signedInBy(beganBy, oidc));
    await page.click('sign-out');
    expect(page.asked.slice(2)).toEqual([
      'DELETE /api/v1/session',
      // Where it stays it looks anew.
      ...(left.length === 0 ? [WAYS, 'GET /api/v1/session'] : []),
    ]);
    expect(page.left).toEqual(left);
  });

  test('by the provider, and has followed its own link then: is led on all the same', async () => {
    const answer = signedInBy('oidc', OIDC);
    const page = await open('#code=c', (asked) =>
      asked.startsWith('POST') ? [200, { ...ADA, beganBy: 'oidc' }] : answer(asked),
    );
    await page.click('follow');
    await page.click('sign-out');
    expect(page.left).toEqual([OIDC.signOutUrl]);
  });

  test('is led nowhere where signing out here did not work', async () => {
    const answer = signedInBy('oidc', OIDC);
    const page = await open('', (asked) =>
      asked.startsWith('DELETE') ? [503, { detail: 'busy' }] : answer(asked),
    );
    await page.click('sign-out');
    expect([page.said(), page.left]).toEqual(['busy', []]);
  });

  test.each([
    [0, /no other session/],
    [3, /over now: 3/],
  ])('signs out everywhere else: %i', async (ended, text) => {
    const page = await open('', signedInBy('key', null, ended));
    await page.click('end-others');
    expect(page.asked.at(-1)).toBe('POST /api/v1/sessions/end {"others":true}');
    expect(page.done()).toMatch(text);
    expect(page.shown('signed-in', 'message', 'done')).toEqual([true, false, true]);
  });
});

test.each([
  ['signed_out_here', /signed out here/],
  ['too_many_failures', /too many attempts/],
  ['rate_limited', /too often/],
  ['sign_in_insecure', /neither https nor this machine/],
  ['malformed_request', /delete them/],
  ['database_unavailable', /cannot answer now/],
  ['constructor', /^That did not work/],
])('what it was led here with is said, whatever the API answers then: %s', async (code, text) => {
  for (const status of [200, 429]) {
    const answer = (): [number, object] => [
      status,
      { key: true, oidc: null, signedIn: false, detail: 'else' },
    ];
    expect((await open(`#error=${code}`, answer)).said()).toMatch(text);
  }
});
