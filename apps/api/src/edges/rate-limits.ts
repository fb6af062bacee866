import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bareHash, parseKey } from '../access/api-key.ts';
import { type Caller, holderOf } from '../access/caller.ts';
import { ApiError } from '../problems/problem.ts';
import { addressGroup } from './address-group.ts';
import { callerAddress } from './caller-address.ts';
import { type BucketRate, createTokenBuckets, type Taken, type TokenBuckets } from './token-buckets.ts';

/** How much may be asked of one process of the API; what is absent is not limited. */
export interface RateLimits {
  /** By key, also in the sessions begun with it, or by person. */
  readonly key?: BucketRate | undefined;
  /** By address of the caller. */
  readonly address?: BucketRate | undefined;
  /** Requests without a right key, by address. */
  readonly failures?: BucketRate | undefined;
}

/** Limits how often one can ask. */
export interface RateLimiter {
  /** For every request, before anything is read. Throws ApiError `rate_limited`. */
  address(request: FastifyRequest, reply: FastifyReply): void;
  /**
   * Before a key is looked up: whoever has sent too many wrong ones is not heard for some time, unless with a key that was right lately.
   * Throws ApiError `too_many_failures`.
   */
  beforeKey(request: FastifyRequest): void;
  /** Once it is known who asks. Throws ApiError `rate_limited`. */
  caller(request: FastifyRequest, reply: FastifyReply): void;
  /** It had a right key, where nothing else is limited. */
  wasRight(caller: Caller): void;
  /** It had no right key. Where it had none at all nothing was tried out: a page of another site can make browsers ask so. */
  failed(request: FastifyRequest): void;
}

/** Callers and addresses that are remembered at once. */
const MAX_NAMES = 10_000;
/** Whoever is far from a limit is not told of it (draft-ietf-httpapi-ratelimit-headers-10 §6): below this part of what may come at once. */
const NEAR = 0.5;

/** Counts in this process: with several replicas each counts for itself. */
export function createRateLimiter(params: {
  limits: RateLimits;
  /** Milliseconds; never set back: a clock that is would refuse everybody until it has caught up. */
  monotonic: () => number;
  /** Hash of the token of the session that a request has sent. */
  sessionOf: (request: FastifyRequest) => string | undefined;
}): RateLimiter {
  const { limits, monotonic, sessionOf } = params;
  const bucketsOf = (rate: BucketRate | undefined) => rate && createTokenBuckets({ rate, max: MAX_NAMES });
  const keys = withPolicy('key', bucketsOf(limits.key));
  const addresses = withPolicy('address', bucketsOf(limits.address));
  const failures = bucketsOf(limits.failures);
  /** Keys and sessions that were right, with a hash of the secret; whether one still is right is looked at anyway. */
  const right = new Map<string, string>();

  const remember = (caller: Caller): void => {
    const { kind, id, hash } = caller;
    if (!failures || hash === undefined) return;
    const name = kind === 'key' ? `key ${id}` : `session ${hash}`;
    const known = bareHash(hash);
    // A key may have another secret by now.
    if (right.get(name) === known) return;
    right.set(name, known);
    const [oldest] = right.keys();
    if (right.size > MAX_NAMES && oldest !== undefined) right.delete(oldest);
  };
  const sent = (request: FastifyRequest): Sent | undefined => {
    if (request.headers.authorization !== undefined) return keySent(request);
    const hash = sessionOf(request);
    return hash === undefined ? undefined : { name: `session ${hash}`, hash };
  };
  const isRight = (request: FastifyRequest): boolean => {
    const came = sent(request);
    return came !== undefined && right.get(came.name) === came.hash;
  };

  return {
    address(request, reply) {
      if (!addresses) return;
      const taken = addresses.buckets.take(addressGroup(callerAddress(request)), monotonic());
      if (!taken.allowed) refuse(reply, { ...addresses, taken, whose: 'from this address' });
    },
    beforeKey(request) {
      // Nearly always there are none.
      if (!failures || failures.size === 0) return;
      const guess = guessOf(request);
      if (guess === undefined) return;
      const taken = failures.look(guess, monotonic());
      if (taken.allowed || (triesWhatCame(request) && isRight(request))) return;
      // Nothing is looked up for it.
      if (endsSession(request) && sessionOf(request) === undefined) return;
      throw new ApiError(
        'too_many_failures',
        'too many requests without a right key came from this address: repeat later, with one',
        { retryAfter: secondsOf(taken.waitMs) },
      );
    },
    caller(request, reply) {
      remember(request.caller);
      if (!keys) return;
      const taken = keys.buckets.take(holderOf(request.caller), monotonic());
      if (!taken.allowed) refuse(reply, { ...keys, taken, whose: WHOSE[request.caller.kind] });
      if (taken.remaining < NEAR * keys.buckets.rate.burst) tell(reply, keys, taken);
    },
    wasRight: remember,
    failed(request) {
      if (!failures) return;
      if (triesWhatCame(request)) {
        const came = sent(request);
        if (!came) return;
        if (right.get(came.name) === came.hash) right.delete(came.name);
      }
      failures.take(guessOf(request) ?? addressGroup(callerAddress(request)), monotonic());
    },
  };
}

const WHOSE: Readonly<Record<Caller['kind'], string>> = {
  key: 'with this key and its sessions',
  session: 'of whoever is signed in here, all its sessions counted',
};

/** Where anybody may ask, what is tried out is not the key or the session that came with the request, but for one that is to end. */
function triesWhatCame(request: FastifyRequest): boolean {
  return request.routeOptions.config.role !== 'anyone' || endsSession(request);
}

function endsSession({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.config.guess === 'session';
}

/** What counts together of what is tried out; undefined: nothing is. */
function guessOf(request: FastifyRequest): string | undefined {
  const { guess = 'key' } = request.routeOptions.config;
  if (guess === 'nothing') return undefined;
  const group = addressGroup(callerAddress(request));
  return guess === 'key' ? group : `${guess} ${group}`;
}

interface Limited {
  readonly buckets: TokenBuckets;
  readonly name: string;
  /** The header that tells the limit. */
  readonly policy: string;
}

/** Headers as in draft-ietf-httpapi-ratelimit-headers-10: the quota is what may come at once, the window until it is there again. */
function withPolicy(name: string, buckets: TokenBuckets | undefined): Limited | undefined {
  if (!buckets) return undefined;
  const { limit, periodMs, burst } = buckets.rate;
  return { buckets, name, policy: `"${name}";q=${burst};w=${secondsOf((burst * periodMs) / limit)}` };
}

function tell(reply: FastifyReply, { name, policy }: Limited, { remaining, fullMs }: Taken): void {
  reply.header('ratelimit-policy', policy);
  reply.header('ratelimit', `"${name}";r=${remaining};t=${secondsOf(fullMs)}`);
}

function refuse(reply: FastifyReply, refused: Limited & { taken: Taken; whose: string }): never {
  const { taken, whose, buckets } = refused;
  tell(reply, refused, taken);
  const { limit, periodMs, burst } = buckets.rate;
  const many = `${limit} requests in ${periodMs / 1_000} s, ${burst} of them at once`;
  throw new ApiError('rate_limited', `too many requests ${whose}: it may send ${many}`, {
    retryAfter: secondsOf(taken.waitMs),
  });
}

function secondsOf(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}

/** What somebody has come with. */
interface Sent {
  readonly name: string;
  readonly hash: string;
}

function keySent({ headers }: FastifyRequest): Sent {
  const [, sent = ''] = /^Bearer +(\S{1,256})$/i.exec(headers.authorization ?? '') ?? [];
  const { id = '', secret = '' } = parseKey(sent) ?? {};
  return { name: `key ${id}`, hash: createHash('sha256').update(secret).digest('hex') };
}
