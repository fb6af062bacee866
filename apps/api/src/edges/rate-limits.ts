import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseKey } from '../access/api-key.ts';
import { ApiError } from '../problems/problem.ts';
import { addressGroup } from './address-group.ts';
import { type BucketRate, createTokenBuckets, type Taken, type TokenBuckets } from './token-buckets.ts';

/** How much may be asked of one process of the API; what is absent is not limited. */
export interface RateLimits {
  /** By key, or by session. */
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
   * For routes that need a key, before it is looked up: whoever has sent too many wrong ones is not heard for some time, unless with
   * a key that was right lately. Throws ApiError `too_many_failures`.
   */
  beforeKey(request: FastifyRequest): void;
  /** Once it is known who asks. Throws ApiError `rate_limited`. */
  caller(request: FastifyRequest, reply: FastifyReply): void;
  /** It had no right key. */
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
}): RateLimiter {
  const { limits, monotonic } = params;
  const bucketsOf = (rate: BucketRate | undefined) => rate && createTokenBuckets({ rate, max: MAX_NAMES });
  const keys = withPolicy('key', bucketsOf(limits.key));
  const addresses = withPolicy('address', bucketsOf(limits.address));
  const failures = bucketsOf(limits.failures);
  /** Ids of keys that were right, with a hash of the secret; whether one still is right is looked at anyway. */
  const right = new Map<string, string>();

  const remember = (request: FastifyRequest): void => {
    const { kind, id } = request.caller;
    if (!failures || kind !== 'key' || right.has(id)) return;
    right.set(id, keySent(request).hash);
    const [oldest] = right.keys();
    if (right.size > MAX_NAMES && oldest !== undefined) right.delete(oldest);
  };
  const wasRight = (request: FastifyRequest): boolean => {
    const { id, hash } = keySent(request);
    return right.get(id) === hash;
  };

  return {
    address(request, reply) {
      if (!addresses) return;
      const taken = addresses.buckets.take(addressGroup(request.ip), monotonic());
      if (!taken.allowed) refuse(reply, { ...addresses, taken, whose: 'from this address' });
    },
    beforeKey(request) {
      // Nearly always there are none.
      if (!failures || failures.size === 0) return;
      const taken = failures.look(addressGroup(request.ip), monotonic());
      if (taken.allowed || wasRight(request)) return;
      throw new ApiError(
        'too_many_failures',
        'too many requests without a right key came from this address: repeat later, with one',
        { retryAfter: secondsOf(taken.waitMs) },
      );
    },
    caller(request, reply) {
      remember(request);
      if (!keys) return;
      const { kind, id } = request.caller;
      const taken = keys.buckets.take(`${kind} ${id}`, monotonic());
      if (!taken.allowed) refuse(reply, { ...keys, taken, whose: `with this ${kind}` });
      if (taken.remaining < NEAR * keys.buckets.rate.burst) tell(reply, keys, taken);
    },
    failed(request) {
      failures?.take(addressGroup(request.ip), monotonic());
    },
  };
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

function keySent({ headers }: FastifyRequest): { readonly id: string; readonly hash: string } {
  const [, sent = ''] = /^Bearer +(\S{1,256})$/i.exec(headers.authorization ?? '') ?? [];
  const { id = '', secret = '' } = parseKey(sent) ?? {};
  return { id, hash: createHash('sha256').update(secret).digest('hex') };
}
