import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { uuidV7 } from '@jetbeat/core';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../access/caller.ts';
import { ApiError } from '../problems/problem.ts';

/** What a key may be: printable, and short enough to be told in a message. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The `Idempotency-Key` of a request, if it has one.
 * @throws ApiError invalid_request for a key that is none
 */
export function keyOf(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined || (typeof key === 'string' && KEY.test(key))) return key;
  const message = 'a key is 1 to 255 printable characters without a space: a UUID is best';
  const issues = [{ pointer: 'idempotency-key', code: 'invalid_value', message }];
  throw new ApiError('invalid_request', message, { issues });
}

/** Whose keys a caller's are: the same key of another one is another key. */
export function ownerOf({ kind, id }: Pick<Caller, 'kind' | 'id'>): string {
  return kind === 'key' ? id : `${kind}:${id}`;
}

/**
 * Makes the id of what a request asks for, by its `Idempotency-Key` and the time when that came first: of the same caller with the same key
 * for the same thing it is the same again, until the key is forgotten. Without a key it is a new one.
 */
export function askedId(request: FastifyRequest): (scope: string) => string {
  const { repeatable } = request;
  if (!repeatable) {
    const fresh = randomUUID();
    return () => fresh;
  }
  const { key, at } = repeatable;
  return (scope) => hashedUuid(`${textOf(request, scope, key)}\n${at}`);
}

/**
 * Makes a UUIDv7 of what a request asks for: with an `Idempotency-Key` the same again, whoever carries it out and however often, since its
 * time is when the key came first.
 * @param now Unix milliseconds: the time in the id of a request without a key
 * @returns for each thing of the request, by a name that it has in it, its id
 */
export function timedId(request: FastifyRequest, now: number): (scope: string) => string {
  const { repeatable } = request;
  if (!repeatable) return () => uuidV7(now, randomBytes(10));
  const { key, at } = repeatable;
  return (scope) => uuidV7(at, digest(textOf(request, scope, key)));
}

function textOf(request: FastifyRequest, scope: string, key: string): string {
  return `${ownerOf(request.caller)}\n${scope}\n${key}`;
}

/** A UUIDv8 (RFC 9562 §5.8) of a text. */
function hashedUuid(text: string): string {
  const bytes = digest(text).subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
