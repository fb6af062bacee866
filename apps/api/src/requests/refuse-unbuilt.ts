import { describeIssues } from '@jetbeat/core';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { REASON_HEADER, readReason } from '../audit/audit-note.ts';
import { ApiError } from '../problems/problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Which of the headers that not every route keeps are kept here. */
    headers?: readonly ConditionalHeader[];
  }
}

/** Headers that promise something which not every route keeps: whoever sends one must not believe that it is. */
const HEADERS = ['idempotency-key', 'if-match'] as const;
type ConditionalHeader = (typeof HEADERS)[number];
/** The query of routes that take none. */
const NO_QUERY = Type.Object({}, { additionalProperties: false });

/** Refuses options that no route takes, in queries and headers; bodies say so by their schemas. */
export function refuseUnbuilt(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    route.schema = { querystring: NO_QUERY, ...route.schema };
  });
  app.addHook('onRequest', async ({ headers, method, routeOptions }) => {
    const { headers: kept = [] } = routeOptions.config;
    const isKept = (name: ConditionalHeader) =>
      kept.includes(name) || (name === 'idempotency-key' && method === 'POST');
    const refused = HEADERS.filter((name) => headers[name] !== undefined && !isKept(name));
    const issues = refused.map((name) => ({
      pointer: name,
      code: 'unknown_field',
      message: `the header "${name}" has no effect here: leave it out`,
    }));
    if (issues.length > 0) throw new ApiError('invalid_request', describeIssues(issues), { issues });
    readReason(headers[REASON_HEADER]);
  });
}
