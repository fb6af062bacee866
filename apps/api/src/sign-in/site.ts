import { isOwnMachine } from '@jetbeat/runtime';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../problems/problem.ts';

/** How browsers reach the API, as far as the configuration says. */
export interface SiteDoor {
  /** By https alone. */
  readonly secure: boolean;
  /** As people write it. */
  readonly publicUrl?: string | undefined;
  /** Others than the programs of this machine can reach it. */
  readonly isOpen: boolean;
}

/** What of a request says how a browser has come here, and from where. */
export type Visit = Pick<FastifyRequest, 'headers' | 'method' | 'protocol' | 'host'>;

/** What a browser takes this API for, by one of its requests. */
export interface Site {
  readonly secure: boolean;
  /** As a browser writes it in `Origin`. Undefined: nobody can sign in there. */
  readonly origin: string | undefined;
  /** The name of the cookie of a session there. */
  readonly cookie: string;
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);
/** A browser takes it by https alone, from the host itself, and of no other path (RFC 6265bis §4.1.3.2). */
const SECURE_COOKIE = '__Host-jetbeat';

/**
 * Over plain http only names of this machine are a site: whatever else a browser calls it, the cookie would be read on the way. There
 * each port has a cookie of its own, since cookies know of no ports. Where others reach the API too a request may have such a name only
 * because of a proxy that says nothing of where it came from, so that the configuration has to say it.
 */
export function siteOf(visit: Visit, door: SiteDoor): Site {
  const secure = door.secure || visit.protocol === 'https';
  // A proxy that is asked by plain http too: what is typed there was read on the way, whatever else the configuration says.
  if (secure && isSaidPlain(visit)) return { secure, origin: undefined, cookie: SECURE_COOKIE };
  const url = URL.parse(door.publicUrl ?? `${secure ? 'https' : 'http'}://${visit.host}`);
  if (secure) return { secure, origin: url?.origin, cookie: SECURE_COOKIE };
  const isSaid = door.publicUrl !== undefined || !door.isOpen;
  const isOwn = isSaid && url !== null && isOwnMachine(url.hostname);
  return { secure, origin: isOwn ? url.origin : undefined, cookie: `jetbeat-${url?.port || '80'}` };
}

/** Whether a proxy says that it was asked by plain http; of several the last one has come here. */
function isSaidPlain({ protocol, headers }: Visit): boolean {
  const said = String(headers['x-forwarded-proto'] ?? '')
    .split(',')
    .at(-1);
  return protocol === 'http' && said?.trim().toLowerCase() === 'http';
}

/**
 * For what gives a browser the cookie of a session.
 * @throws ApiError sign_in_insecure
 */
export function needSite({ origin }: Site): void {
  if (origin === undefined) throw new ApiError('sign_in_insecure', INSECURE);
}

const INSECURE =
  'the cookie of a session could be read on the way: sign in by https, with api.tls or at the address of a proxy (api.publicUrl says which one), or on the machine itself at http://127.0.0.1';

/**
 * The cookie comes with whatever a browser is made to send, so that a request which counts by it must come from a page of ours. Browsers say
 * so in `Sec-Fetch-Site` (Fetch Metadata; OWASP CSRF Prevention Cheat Sheet, "Fetch Metadata headers"), older ones in `Origin`.
 * What only reads may also be a link that somebody has followed, or an address that was typed.
 * @throws ApiError cross_site
 */
export function refuseOthers(visit: Visit, site: Site): void {
  const { headers, method } = visit;
  const isOwn = isOwnPage(visit, site);
  if (isOwn) return;
  if (SAFE.has(method)) {
    const from = headers['sec-fetch-site'];
    const isFollowed = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
    if (from === undefined || from === 'none' || isFollowed) return;
  }
  throw crossSite(isOwn === undefined ? SAYS_NOTHING : FROM_ELSEWHERE);
}

/**
 * For what needs no cookie and sets one: a page of somebody else must not sign anybody in. Programs, which say nothing of pages, may.
 * @throws ApiError cross_site
 */
export function refuseOtherPages(visit: Visit, site: Site): void {
  if (isOwnPage(visit, site) === false) throw crossSite(FROM_ELSEWHERE);
}

/** Whether a page of ours has sent it; undefined: nothing says so. */
function isOwnPage({ headers }: Visit, { origin }: Site): boolean | undefined {
  const from = headers['sec-fetch-site'];
  if (from !== undefined) return from === 'same-origin';
  return headers.origin === undefined ? undefined : origin !== undefined && headers.origin === origin;
}

const FROM_ELSEWHERE =
  'a page of another site has sent this, and whoever is signed in has not asked for it: use a page of this API at its own address (api.publicUrl), or a program with a key in the header "Authorization"';
const SAYS_NOTHING =
  'it came with the cookie of a session, and neither "Sec-Fetch-Site" nor "Origin" says that a page of this API has sent it: programs send a key in the header "Authorization" instead';

function crossSite(message: string): ApiError {
  return new ApiError('cross_site', message);
}
