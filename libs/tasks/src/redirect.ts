import { Reject } from '@jetbeat/task';

/** One request of a chain of redirects. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Followed where they lead somewhere; 300, 304 and the rest of 3xx are answers. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** What another origin may be told: nothing that could be a credential under some name of its own. */
const HARMLESS = /^(accept(-.*)?|content-(type|language|encoding)|user-agent|if-.*|range)$/;

/** Where an answer leads, if it is a redirect. */
export function redirectTarget(status: number, location: string | undefined): string | undefined {
  return REDIRECTS.has(status) ? location : undefined;
}

/**
 * The request that a redirect asks for (RFC 9110, 15.4): 303 becomes a GET, so does a POST at 301 and 302 as everywhere;
 * 307 and 308 repeat the request. Another origin gets no header that could be a credential, and none of
 * them comes back later in the chain.
 * @throws OnPurposeError (rejected) when it leads to no http(s) address, carries credentials, or leaves TLS
 */
export function nextHop(hop: Hop, status: number, location: string): Hop {
  const url = URL.parse(location, hop.url.href);
  if (!url || !/^https?:$/.test(url.protocol)) throw refuse(hop, 'it leads to no http or https address');
  if (url.username !== '' || url.password !== '')
    throw refuse(hop, 'it leads to an address with credentials');
  if (hop.url.protocol === 'https:' && url.protocol === 'http:')
    throw refuse(hop, `it leads from https to ${url.origin}`);
  const becomesGet = (status === 303 && hop.method !== 'HEAD') || (status <= 302 && hop.method === 'POST');
  const keeps = (name: string) =>
    (url.origin === hop.url.origin || HARMLESS.test(name)) && !(becomesGet && name.startsWith('content-'));
  return {
    url,
    method: becomesGet ? 'GET' : hop.method,
    headers: Object.fromEntries(Object.entries(hop.headers).filter(([name]) => keeps(name))),
    body: becomesGet ? null : hop.body,
  };
}

function refuse({ url }: Hop, why: string): Error {
  return Reject(`the redirect of ${url.origin}${url.pathname} is not followed: ${why}`, {
    code: 'redirect_refused',
  });
}
