import { describeIssues } from '@jetbeat/core';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { ApiError } from './problem.ts';

/** Headers that promise something which is not kept yet: whoever sends one must not believe that it is. */
const HEADERS = ['idempotency-key', 'if-match'];
/** The query of routes that take none. */
const NO_QUERY = Type.Object({}, { additionalProperties: false });

/** Refuses options that no route takes, in queries and headers; bodies say so by their schemas. */
export function refuseUnbuilt(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    route.schema = { querystring: NO_QUERY, ...route.schema };
  });
  app.addHook('onRequest', async ({ headers }) => {
    const issues = HEADERS.filter((name) => headers[name] !== undefined).map((name) => ({
      pointer: name,
      code: 'unknown_field',
      message: `the header "${name}" has no effect yet: leave it out`,
    }));
    if (issues.length > 0) throw new ApiError('invalid_request', describeIssues(issues), { issues });
  });
}
