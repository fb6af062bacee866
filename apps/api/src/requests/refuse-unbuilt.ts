import { describeIssues } from '@jetbeat/core';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { REASON_HEADER, readReason } from '../audit/audit-note.ts';
import { ApiError } from '../problems/problem.ts';
import { refuseBodies } from './refuse-bodies.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Which of the headers that not every route keeps are kept here. */
    headers?: readonly ConditionalHeader[];
    /** What it does leaves no row in the audit log, so that there is no place for a reason. */
    leavesNoRow?: true;
  }
}

/** Headers that promise something which not every route keeps: whoever sends one must not believe that it is. */
const HEADERS = [
  ...(['idempotency-key', 'if-match', 'if-none-match', 'if-unmodified-since'] as const),
  REASON_HEADER,
] as const;
type ConditionalHeader = (typeof HEADERS)[number];
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD']);
/** Of what only reads they would spare the sending of an answer, which is no promise (RFC 9110 §13.2.1). */
const READERS_MAY: ReadonlySet<ConditionalHeader> = new Set(['if-none-match', 'if-unmodified-since']);
/** The query of routes that take none. */
const NO_QUERY = Type.Object({}, { additionalProperties: false });

/** Refuses options that no route takes, in queries and headers; bodies say so by their schemas. */
export function refuseUnbuilt(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const marks = route.config?.leavesNoRow ? { 'x-jetbeat-audited': false } : {};
    route.schema = { querystring: NO_QUERY, ...marks, ...route.schema };
  });
  app.addHook('onRequest', async ({ headers, method, routeOptions }) => {
    const { headers: kept = [], role, leavesNoRow = false } = routeOptions.config;
    const isKept = (name: ConditionalHeader) => {
      if (kept.includes(name)) return true;
      if (name === 'idempotency-key') return method === 'POST' && role !== 'anyone';
      if (name === REASON_HEADER) return !SAFE.has(method) && !leavesNoRow;
      return SAFE.has(method) && READERS_MAY.has(name);
    };
    const refused = HEADERS.filter((name) => headers[name] !== undefined && !isKept(name));
    const issues = refused.map((name) => ({
      pointer: name,
      code: 'unknown_field',
      message: `the header "${name}" has no effect here: leave it out`,
    }));
    if (issues.length > 0) throw new ApiError('invalid_request', describeIssues(issues), { issues });
    readReason(headers[REASON_HEADER]);
  });
  refuseBodies(app);
}
