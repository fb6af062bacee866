import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hashSecret } from '../access/api-key.ts';
import { ApiError } from '../problems/problem.ts';
import { type Site, type SiteDoor, siteOf, type Visit } from './site.ts';

/** A request with its cookies read. */
export type WithCookies = Visit & Pick<FastifyRequest, 'cookies'>;

const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** A token that nobody can guess: 256 random bits. What is stored of it is its hash alone. */
export function makeToken(): { readonly token: string; readonly hash: string } {
  const token = randomBytes(32).toString('base64url');
  return { token, hash: hashSecret(token) };
}

/** A session as a request has sent it. */
export interface SentSession {
  readonly site: Site;
  /** Of its token. */
  readonly hash: string;
}

/**
 * The session that a browser has sent; undefined where there is none.
 * @throws ApiError malformed_request for two of them: one may be put there by somebody else
 */
export function sentSession(request: WithCookies, door: SiteDoor): SentSession | undefined {
  const { cookie: header } = request.headers;
  if (header === undefined) return undefined;
  const site = siteOf(request, door);
  const named = header.split(';').filter((pair) => pair.split('=', 1)[0]?.trim() === site.cookie);
  if (named.length > 1)
    throw new ApiError(
      'malformed_request',
      `there are several cookies named ${site.cookie}: delete the cookies of this address, then sign in`,
    );
  const token = request.cookies[site.cookie];
  if (token === undefined || token === '') return undefined;
  // What is no token is that of no session.
  return { site, hash: TOKEN.test(token) ? hashSecret(token) : '' };
}

/** What stands in the cookie beside the token; `__Host-` needs all but the last (RFC 6265bis §4.1.3.2). */
const options = ({ secure }: Site) => ({ path: '/', httpOnly: true, secure, sameSite: 'lax' }) as const;

/** Lets the browser have the session. @param maxAgeMs until it is over in any case */
export function giveSession(
  reply: FastifyReply,
  { site, token, maxAgeMs }: { readonly site: Site; readonly token: string; readonly maxAgeMs: number },
): void {
  const maxAge = Math.max(0, Math.floor(maxAgeMs / 1_000));
  reply.setCookie(site.cookie, token, { ...options(site), maxAge });
}

/** Takes the session from the browser. */
export function takeSession(reply: FastifyReply, site: Site): void {
  reply.clearCookie(site.cookie, options(site));
}
