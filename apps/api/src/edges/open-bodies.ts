import type { FastifyInstance, FastifyRequest } from 'fastify';
import { holderOf } from '../access/caller.ts';
import { ApiError } from '../problems/problem.ts';

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

/** The bodies of requests that are open. */
export interface OpenBodies {
  /** What they have of the memory that they may have, bytes. */
  readonly heldBytes: number;
}

interface Place {
  readonly holder: string;
  bytes: number;
}

/**
 * Bounds what the bodies of requests hold of memory, from before the first byte is read until the answer is out or the connection gone: who
 * sends one that does not end, or waits for what does not come, holds it for as long. One that finds no place is refused, and dropped as it
 * comes. The length that a request tells counts; where it tells none, the most that it may be until it has come, then what it is. Who has not
 * said who it is has no place. Of who hangs up the handler goes on without one, for as long as a request may take.
 * @param bounds bytes: of all, of one holder, and what is free
 */
export function boundBodies(
  app: FastifyInstance,
  bounds: { readonly bytes?: number; readonly share?: number; readonly free?: number } = {},
): OpenBodies {
  const { bytes: most = BYTES, share = SHARE, free = FREE } = bounds;
  const held = new Map<string, number>();
  const places = new WeakMap<FastifyRequest, Place>();
  let all = 0;
  const resize = (place: Place, bytes: number) => {
    const more = bytes - place.bytes;
    const own = (held.get(place.holder) ?? 0) + more;
    all += more;
    place.bytes = bytes;
    if (own > 0) held.set(place.holder, own);
    else held.delete(place.holder);
  };
  // After the hooks that find out who asks; whoever is refused there has no body read.
  app.addHook('preParsing', (request, reply, payload, done) => {
    const bytes = bytesOf(request);
    if (bytes <= free || UNREAD.has(request.method)) return done(null, payload);
    // Who has hung up while it was found out who asks has had its `close`: nothing would ever end the place.
    if (reply.raw.destroyed || request.raw.socket.destroyed) return done(null, payload);
    if (!request.caller) return done(ofNobody(free));
    const holder = holderOf(request.caller);
    if ((held.get(holder) ?? 0) + bytes > share) return done(noPlace('of this key, or of who is signed in,'));
    if (all + bytes > most) return done(noPlace('of all who ask'));
    const place = { holder, bytes: 0 };
    resize(place, bytes);
    places.set(request, place);
    reply.raw.once('close', () => {
      places.delete(request);
      resize(place, 0);
    });
    done(null, payload);
  });
  // It has come, and one that told no length may be small.
  app.addHook('preValidation', (request, _reply, done) => {
    const place = places.get(request);
    if (place && request.bodyBytes !== null) resize(place, request.bodyBytes > free ? request.bodyBytes : 0);
    done();
  });
  return {
    get heldBytes() {
      return all;
    },
  };
}

function bytesOf({ headers, routeOptions: { bodyLimit } }: FastifyRequest): number {
  const { 'content-length': told, 'transfer-encoding': coding } = headers;
  if (coding !== undefined) return bodyLimit;
  // One that is longer is refused before it is read.
  return told === undefined ? 0 : Math.min(Number(told), bodyLimit);
}

function ofNobody(free: number): ApiError {
  return new ApiError(
    'payload_too_large',
    `of who has not said who it is no body over ${free} bytes is read`,
  );
}

function noPlace(of: string): ApiError {
  const message = `the bodies of requests ${of} that are open here are as large together as they may be: repeat later, or send less at once`;
  return new ApiError('overloaded', message, { retryAfter: RETRY_AFTER, counted: 'bodies' });
}
