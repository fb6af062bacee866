import { describeIssues } from '@jetbeat/core';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './problem.ts';
import { findRounded } from './rounded.ts';

/** A merge patch (RFC 7396) is JSON too. */
const JSON_TYPES = ['application/json', 'application/merge-patch+json'];

/**
 * Reads bodies as JSON as Fastify does, and refuses what would not be the same afterwards. An empty one is none: many
 * clients send the content type with every request.
 */
export function parseBody(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<string>(JSON_TYPES, { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, undefined);
    void parse(request, body, (error, value) => {
      if (error) return done(new ApiError('malformed_request', whyRefused(body), { cause: error }));
      const issues = findRounded(body);
      if (issues.length === 0) return done(null, value);
      done(new ApiError('invalid_input', describeIssues(issues), { issues }));
    });
  });
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
