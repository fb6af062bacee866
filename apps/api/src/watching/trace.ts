import { randomBytes } from 'node:crypto';
import { formatTraceparent, newTrace, parseTraceparent } from '@jetbeat/core';

/** The `traceparent` of a request: the caller's where it is valid, else that of a new trace. */
export function traceparentOf(header: string | string[] | undefined): string {
  return callersTrace(header) ?? formatTraceparent(newTrace(randomBytes(24)));
}

/** The caller's `traceparent` where it is valid. */
export function callersTrace(header: string | string[] | undefined): string | undefined {
  const given = parseTraceparent(Array.isArray(header) ? header[0] : header);
  return given && formatTraceparent(given);
}

/** The trace id in a `traceparent` that this API made or checked. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}
