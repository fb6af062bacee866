import { type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';

/** One answer on the way. */
interface Step {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a browser does with addresses: it follows them, and keeps cookies. It runs nothing. */
export interface Browser {
  /**
   * Goes to an address, and on to where it is led.
   * @param options.until an address that is looked at, and not gone to; then it has the status 0
   * @returns the last answer, with all before it
   */
  go(url: string, options?: GoOptions): Promise<Step & { readonly way: readonly Step[] }>;
  /** What it would send to this address: name -> value. */
  cookies(url: string): ReadonlyMap<string, string>;
  /** Sets or, without a value, forgets a cookie. */
  put(url: string, name: string, value?: string): void;
}

interface GoOptions {
  readonly until?: (url: URL) => boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends these fields, as the form of a page does. */
  readonly form?: Readonly<Record<string, string>> | undefined;
}

const MOST_STEPS = 12;
const LOOK = {
  accept: 'text/html,application/xhtml+xml',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
};

/**
 * Makes one without any cookies.
 * @param served where an origin really is, e.g. `https://jetbeat.example.org` -> `http://127.0.0.1:7420`: as a proxy would know it
 */
export function openBrowser(served: (origin: string) => string = (origin) => origin): Browser {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: URL) => {
    const jar = jars.get(url.origin) ?? new Map<string, string>();
    jars.set(url.origin, jar);
    return jar;
  };
  const ask = async (url: URL, headers: Record<string, string>, form?: GoOptions['form']): Promise<Step> => {
    const jar = jarOf(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const target = new URL(`${url.pathname}${url.search}`, served(url.origin));
    const { promise, resolve, reject } = Promise.withResolvers<Step>();
    const method = form ? 'POST' : 'GET';
    const type = form ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
    const all = { host: url.host, ...LOOK, ...type, ...(cookie === '' ? {} : { cookie }), ...headers };
    const options = { method, headers: all, agent: false, signal: AbortSignal.timeout(10_000) };
    request(target, options, (response) => {
      for (const set of response.headers['set-cookie'] ?? []) keep(jar, set);
      const { statusCode: status = 0 } = response;
      text(response).then((body) => resolve({ url, status, headers: response.headers, body }), reject);
    })
      .once('error', reject)
      .end(form && new URLSearchParams(form).toString());
    return promise;
  };
  return {
    async go(start, { until = () => false, headers = {}, form } = {}) {
      const way: Step[] = [];
      let url = new URL(start);
      let site = 'none';
      while (way.length < MOST_STEPS) {
        if (until(url)) return { url, status: 0, headers: {}, body: '', way };
        const step = await ask(
          url,
          { 'sec-fetch-site': site, ...headers },
          way.length === 0 ? form : undefined,
        );
        way.push(step);
        const { location } = step.headers;
        if (location === undefined || step.status < 300 || step.status > 399) return { ...step, way };
        const next = new URL(location, url);
        if (next.origin !== url.origin) site = 'cross-site';
        url = next;
      }
      throw new Error(`it goes round and round: ${way.map((step) => step.url.href).join(' -> ')}`);
    },
    cookies: (url) => jarOf(new URL(url)),
    put(url, name, value) {
      const jar = jarOf(new URL(url));
      if (value === undefined) jar.delete(name);
      else jar.set(name, value);
    },
  };
}

function keep(jar: Map<string, string>, header: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(header) ?? [];
  if (/;\s*max-age=0(;|$)|;\s*expires=thu, 01 jan 1970/i.test(header)) jar.delete(name);
  else jar.set(name, value);
}
