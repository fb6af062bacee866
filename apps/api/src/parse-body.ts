import { describeIssues } from '@jetbeat/core';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './problem.ts';
import { findRounded } from './rounded.ts';

/** Reads bodies as JSON as Fastify does, and refuses what would not be the same afterwards. */
export function parseBody(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    void parse(request, body, (error, value) => {
      if (error) return done(error);
      const issues = findRounded(body);
      if (issues.length === 0) return done(null, value);
      done(new ApiError('invalid_input', describeIssues(issues), { issues }));
    });
  });
}
