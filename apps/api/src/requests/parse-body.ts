import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { describeIssues, type Issue, MAX_NESTING } from '@jetbeat/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../problems/problem.ts';
import { MAX_KEYS } from './body-limit.ts';
import { countKeys, countOwnKeys, duplicateKey } from './duplicate-keys.ts';
import { findRounded } from './rounded.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How many keys a body may have, all its objects together, where that is more than usual. */
    maxKeys?: number;
  }
  interface FastifyRequest {
    /** How long the body is that has come, bytes; null where none was read. */
    bodyBytes: number | null;
  }
}

/** Every byte that is none would become the same character, and two bodies one (RFC 8259 §8.1). */
const NO_UTF8 = 'the body is no UTF-8: write the JSON as UTF-8, whatever its text was written in';
const NOTHING: Issue = { pointer: '', code: 'invalid_type', message: 'the body must be object' };
/** A merge patch (RFC 7396) is JSON too. */
const JSON_TYPES = ['application/json', 'application/merge-patch+json'];

/**
 * Reads bodies as JSON as Fastify does, and refuses what would not be the same afterwards. An empty one is none: many
 * clients send the content type with every request.
 */
export function parseBody(app: FastifyInstance): void {
  app.decorateRequest<string | null>('bodyHash', null);
  app.decorateRequest<number | null>('bodyBytes', null);
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<Buffer>(JSON_TYPES, { parseAs: 'buffer' }, (request, bytes, done) => {
    request.bodyBytes = bytes.length;
    if (bytes.length === 0) return done(null, undefined);
    if (request.headers['idempotency-key'] !== undefined) request.bodyHash = hashOf(bytes);
    const { 'content-encoding': encoding = 'identity' } = request.headers;
    if (encoding.toLowerCase() !== 'identity') return done(compressed(encoding));
    if (!isUtf8(bytes)) return done(new ApiError('malformed_request', NO_UTF8));
    const body = bytes.toString('utf8');
    void parse(request, body, (error, value) => {
      if (error) return done(new ApiError('malformed_request', whyRefused(body), { cause: error }));
      // Else it could not be told from none, which some routes take.
      const wrong = value === null ? NOTHING : wrongKeys(request, body, value);
      if (wrong) return done(new ApiError('invalid_request', describeIssues([wrong]), { issues: [wrong] }));
      const issues = findRounded(body);
      if (issues.length === 0) return done(null, value);
      done(new ApiError('invalid_input', describeIssues(issues), { issues }));
    });
  });
}

/** Nothing is unpacked here: a small body could become one without bounds. */
function compressed(encoding: string): ApiError {
  const message = `send the body as it is, without "Content-Encoding: ${encoding.slice(0, 32)}"`;
  return new ApiError('unsupported_media_type', message);
}

/**
 * Of two equal keys everybody on the way may take another one (RFC 8259 §4), so that what was checked would not be what is done.
 */
function wrongKeys({ routeOptions }: FastifyRequest, text: string, value: unknown): Issue | undefined {
  const { maxKeys = MAX_KEYS } = routeOptions.config;
  const keys = countKeys(text);
  if (keys > maxKeys)
    return { pointer: '', code: 'too_many_keys', message: `${keys} keys: it may have ${maxKeys} at most` };
  // What is too deep is refused later, with its place.
  const own = countOwnKeys(value, MAX_NESTING);
  if (Number.isNaN(own) || own === keys) return undefined;
  const key = JSON.stringify(duplicateKey(text)?.slice(0, 64));
  return {
    pointer: '',
    code: 'duplicate_key',
    message: `an object has the key ${key} twice: keep one of them`,
  };
}

/** What is wrong with a body, and where. */
function whyRefused(body: string): string {
  try {
    JSON.parse(body);
  } catch (error) {
    return `the body is no JSON: ${(error as Error).message}`;
  }
  return 'the body has a key "__proto__", or "constructor" with "prototype" in it: such keys are refused';
}

/** Of the bytes as they came: what they would be written anew is another text on another machine, or after another version. */
function hashOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}
