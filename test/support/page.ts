import { setTimeout as pause } from 'node:timers/promises';
import type { Problem, Session } from '@jetbeat/core/http';

/** An answer as a page gets it. */
interface Seen<Body> {
  readonly status: number;
  readonly body: Body;
  readonly headers: Headers;
  /** `Set-Cookie`, each. */
  readonly set: readonly string[];
}

/** A browser as far as it matters to an API: it keeps cookies, and says from where its requests come. */
export interface Browser {
  /** By name; of the one address that it visits. */
  readonly cookies: Map<string, string>;
  /** Asks as a page of the API does, unless the headers say otherwise; paths are below `/api/v1`. */
  call<Body>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Seen<Body>>;
  /** Opens a stream, as a page does. */
  stream(path: string, signal: AbortSignal): Promise<Response>;
}

/** How often, and after how long, a request is made again that was refused because there was too much to do. */
const MOST_REPEATS = 20;
const REPEAT_MS = 250;

/** @param url where it goes; the cookies may come from another browser */
export function createBrowser(url: string, cookies: Map<string, string> = new Map()): Browser {
  const cookie = () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const ask = (path: string, init: RequestInit & { headers: Record<string, string> }) =>
    fetch(`${url}/api/v1${path}`, {
      redirect: 'manual',
      ...init,
      headers: {
        'sec-fetch-site': 'same-origin',
        ...(cookies.size === 0 ? {} : { cookie: cookie() }),
        ...init.headers,
      },
    });
  return {
    cookies,
    async call<Body>(
      method: string,
      path: string,
      body?: unknown,
      headers: Readonly<Record<string, string>> = {},
    ) {
      for (let left = MOST_REPEATS; ; left--) {
        const response = await ask(path, {
          method,
          headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(10_000),
        });
        const set = response.headers.getSetCookie();
        for (const one of set) keep(cookies, one);
        const text = await response.text();
        const { status, headers: answered } = response;
        const said = (text ? JSON.parse(text) : undefined) as Body;
        // The machine has other things to do, and nothing was done: asking again is what is asked for.
        if (status !== 503 || (said as Problem).code !== 'overloaded' || left === 0)
          return { status, body: said, headers: answered, set };
        await pause(REPEAT_MS);
      }
    },
    stream: (path, signal) => ask(path, { headers: { accept: 'text/event-stream' }, signal }),
  };
}

function keep(cookies: Map<string, string>, set: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
  if (/;\s*max-age=0(;|$)/i.test(set)) cookies.delete(name);
  else cookies.set(name, value);
}

/** A browser that has signed in with a key, and the id of its session. */
export async function signedIn(url: string, key: string): Promise<Browser & { readonly id: string }> {
  const browser = createBrowser(url);
  const { status, body } = await browser.call<Session>('POST', '/session', { key });
  if (status !== 201) throw new Error(`not signed in: ${JSON.stringify(body)}`);
  return { ...browser, id: body.id };
}

/** The same browser at another API; there the cookie has the name of another port. */
export function sameAt(url: string, { cookies }: Pick<Browser, 'cookies'>): Browser {
  const [token = ''] = cookies.values();
  return createBrowser(url, new Map([[`jetbeat-${new URL(url).port}`, token]]));
}

/** Who a browser is: the id of its session, or why it is nobody. */
export async function who(browser: Pick<Browser, 'call'>): Promise<string> {
  const { status, body } = await browser.call<Session & Problem>('GET', '/session');
  return status === 200 ? body.id : body.code;
}

/** How long after `since` (of `performance.now`) it was let in last, milliseconds. */
export async function lastIn(browser: Pick<Browser, 'call'>, since: number): Promise<number> {
  for (let last = 0; ; ) {
    const asked = performance.now() - since;
    if ((await browser.call('GET', '/session')).status === 401) return last;
    last = asked;
  }
}
