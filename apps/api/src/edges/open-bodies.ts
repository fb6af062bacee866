import type { FastifyInstance, FastifyRequest } from 'fastify';
import { holderOf } from '../access/caller.ts';
import { ApiError } from '../problems/problem.ts';
import { addressGroup } from './address-group.ts';
import { callerAddress } from './caller-address.ts';

/** What the bodies of all requests that are open may have together, bytes: what is made of one takes several times as much. */
const BYTES = 128 * 1_024 ** 2;
/** And those of one holder. */
const SHARE = BYTES / 4;
/** Bodies up to this need no place: Node itself reads more than this ahead of each connection, which are bounded. Bytes. */
const FREE = 16_384;
/** Seconds. */
const RETRY_AFTER = 1;
/** Nobody reads theirs. */
const UNREAD: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Bounds what the bodies of requests hold of memory, from before the first byte is read until the answer is out: who sends one that does not
 * end, or waits for what does not come, holds it for as long. One that finds no place is refused, and dropped as it comes. The length that a
 * request tells counts; where it tells none, the most that it may be.
 * @param bounds bytes: of all, of one holder, and what is free
 */
export function boundBodies(
  app: FastifyInstance,
  bounds: { readonly bytes?: number; readonly share?: number; readonly free?: number } = {},
): void {
  const { bytes: most = BYTES, share = SHARE, free = FREE } = bounds;
  const held = new Map<string, number>();
  let all = 0;
  // After the hooks that find out who asks; whoever is refused there has no body read.
  app.addHook('preParsing', (request, reply, payload, done) => {
    const bytes = bytesOf(request);
    if (bytes <= free || UNREAD.has(request.method)) return done(null, payload);
    const holder = whose(request);
    const own = held.get(holder) ?? 0;
    if (own + bytes > share) return done(noPlace('of this key, or of who is signed in,'));
    if (all + bytes > most) return done(noPlace('of all who ask'));
    all += bytes;
    held.set(holder, own + bytes);
    reply.raw.once('close', () => {
      all -= bytes;
      const left = (held.get(holder) ?? bytes) - bytes;
      if (left > 0) held.set(holder, left);
      else held.delete(holder);
    });
    done(null, payload);
  });
}

function bytesOf({ headers, routeOptions: { bodyLimit } }: FastifyRequest): number {
  const { 'content-length': told, 'transfer-encoding': coding } = headers;
  if (coding !== undefined) return bodyLimit;
  // One that is longer is refused before it is read.
  return told === undefined ? 0 : Math.min(Number(told), bodyLimit);
}

function whose(request: FastifyRequest): string {
  return request.caller ? holderOf(request.caller) : `address ${addressGroup(callerAddress(request))}`;
}

function noPlace(of: string): ApiError {
  const message = `the bodies of requests ${of} that are open here are as large together as they may be: repeat later, or send less at once`;
  return new ApiError('overloaded', message, { retryAfter: RETRY_AFTER, counted: 'bodies' });
}
