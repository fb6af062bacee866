import { describeIssues, type Issue, MAX_DURATION_MS, parseDuration } from '@jetbeat/core';
import type { ApiKeyRequest } from '@jetbeat/core/http';
import { timeText } from '../jobs/job-json.ts';
import { ApiError } from '../problems/problem.ts';
import { readTime } from '../requests/read-time.ts';
import type { Caller } from './caller.ts';

/**
 * When a key that is asked for expires, Unix milliseconds; undefined: never.
 * @throws InvalidInputError, ApiError invalid_request
 */
export function readKeyExpiry({ expiresAt, expiresIn }: ApiKeyRequest, now: number): number | undefined {
  const pointer = expiresAt === undefined ? '/expiresIn' : '/expiresAt';
  const wrong = (message: string) => {
    const issues: Issue[] = [{ pointer, code: 'invalid_value', message }];
    return new ApiError('invalid_request', describeIssues(issues), { issues });
  };
  if (expiresAt !== undefined && expiresIn !== undefined)
    throw wrong('expiresAt and expiresIn exclude each other');
  if (expiresAt === undefined && expiresIn === undefined) return undefined;
  const at =
    expiresAt === undefined
      ? now + parseDuration(expiresIn ?? '', '/expiresIn')
      : readTime(expiresAt, '/expiresAt');
  if (at <= now) throw wrong('a key that has expired already lets nobody in');
  if (at - now > MAX_DURATION_MS)
    throw wrong('a key expires after ten years at most; without a time it does not');
  return at;
}

/**
 * Refuses a key that may do more than the one that makes it.
 * @throws ApiError key_exceeds_maker with every place
 */
export function checkMaker(maker: Caller, asked: ApiKeyRequest, expiresAt: number | undefined): void {
  const { queues, payloads = true } = asked;
  const issues: Issue[] = [];
  const more = (pointer: string, message: string) =>
    issues.push({ pointer, code: 'key_exceeds_maker', message });
  // Who may make keys at all is an admin, so that no role is more.
  if (maker.queues !== undefined) {
    const mine = maker.queues;
    const others = queues?.filter((queue) => !mine.includes(queue));
    const ours = mine.map((queue) => JSON.stringify(queue)).join(', ');
    if (others === undefined || others.length > 0)
      more('/queues', `it can be for no other queues than those of the key that makes it: ${ours}`);
  }
  if (payloads && !maker.payloads)
    more('/payloads', 'the key that makes it sees no inputs and results: write false');
  if (maker.expiresAt !== undefined && (expiresAt ?? Number.POSITIVE_INFINITY) > maker.expiresAt)
    more('/expiresAt', `it can hold no longer than the key that makes it: ${timeText(maker.expiresAt)}`);
  if (issues.length > 0) throw new ApiError('key_exceeds_maker', describeIssues(issues), { issues });
}
