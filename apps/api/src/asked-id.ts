import { createHash, randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ApiError } from './problem.ts';

/** What a key may be: printable, and short enough to be told in a message. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Makes the id of what a request asks for, by its `Idempotency-Key`: of the same caller with the same key for the same thing it is
 * the same again. Without a key it is a new one.
 * @throws ApiError invalid_request for a key that is none
 */
export function askedId(request: FastifyRequest): (scope: string) => string {
  const key = request.headers['idempotency-key'];
  if (key === undefined) {
    const fresh = randomUUID();
    return () => fresh;
  }
  if (typeof key !== 'string' || !KEY.test(key)) {
    const message = 'a key is 1 to 255 printable characters without a space: a UUID is best';
    const issues = [{ pointer: 'idempotency-key', code: 'invalid_value', message }];
    throw new ApiError('invalid_request', message, { issues });
  }
  return (scope) => hashedUuid(`${request.keyId}\n${scope}\n${key}`);
}

/** A UUIDv8 (RFC 9562 §5.8) of a text. */
function hashedUuid(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
