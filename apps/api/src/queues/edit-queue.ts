import { isDeepStrictEqual } from 'node:util';
import { isName, type QueueLimits } from '@jetbeat/core';
import type { QueueRequest } from '@jetbeat/core/http';
import type { QueueChange, QueueRecord } from '@jetbeat/postgres';
import { ApiError } from '../problems/problem.ts';
import { matches } from '../requests/entity-tag.ts';
import { alreadyThere } from '../requests/preconditions.ts';
import { notFound, readRateLimit } from './find-queue.ts';

const WHOLE = { concurrency: null, rateLimit: null, maxDepth: null } as const;

/**
 * What `PUT` and `PATCH` make of a queue. A change that was made already is none, whatever version was asked for: so a request may be
 * repeated whose answer was lost (RFC 9110 §13.1.1).
 * @param asked.isThere whether the queue would be shown
 * @returns `change`, to be called with the queue as it is, which throws ApiError queue_changed and already_there; `done`: what it was
 * @throws ApiError queue_not_found for what cannot be the name of one; InvalidInputError
 */
export function editQueue(
  body: QueueRequest,
  asked: { name: string; isPut: boolean; isThere: boolean; ifMatch: string | undefined; ifNone: boolean },
): {
  change: (found: QueueRecord) => QueueChange | undefined;
  done: () => { changed: boolean; created: boolean };
} {
  const { name, isPut, isThere, ifMatch, ifNone } = asked;
  if (!isName('queue', name)) throw notFound(name);
  const { version, rateLimit, ...rest } = body;
  const change = {
    ...(isPut ? WHOLE : {}),
    ...rest,
    ...(rateLimit === undefined ? {} : { rateLimit: rateLimit && readRateLimit(rateLimit) }),
  };
  let changed = false;
  let created = false;
  return {
    change(found) {
      const isNew = found.version === 0;
      if (ifNone && (isThere || !isNew)) throw alreadyThere(`the queue ${name}`);
      changed = !isMade(change, found.own) || (isPut && isNew);
      created = isPut && isNew && !isThere;
      if (!changed) return undefined;
      const isRead = version === undefined || version === found.version;
      if (!isRead || !matches(ifMatch, found.version)) throw stale(found, ifMatch ?? String(version));
      return change;
    },
    done: () => ({ changed, created }),
  };
}

function isMade(change: QueueChange, own: QueueLimits): boolean {
  const fields = ['concurrency', 'rateLimit', 'maxDepth'] as const;
  return fields.every(
    (field) =>
      change[field] === undefined || isDeepStrictEqual(whole(change[field]) ?? undefined, whole(own[field])),
  );
}

/** With what holds where nothing is said, so that a queue may be sent as it was answered. */
function whole<Limit>(limit: Limit): Limit {
  return typeof limit === 'object' && limit !== null ? { per: 'queue', ...limit } : limit;
}

/** The error for a queue that is another one than was read. */
export function stale({ name, version }: Pick<QueueRecord, 'name' | 'version'>, asked: string): ApiError {
  const message = `the queue ${name} has version ${version} by now, not ${asked}: read it again`;
  return new ApiError('queue_changed', message);
}
