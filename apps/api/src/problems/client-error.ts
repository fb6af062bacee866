import { randomBytes } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { formatTraceparent, newTrace } from '@jetbeat/core';
import type { SecurityHeaders } from '../edges/security-headers.ts';
import { traceIdOf } from '../watching/trace.ts';
import { ApiError, problemBody } from './problem.ts';

/**
 * Answers what Node could not read as HTTP: there is no request yet, only the connection, which ends with this.
 * @param params.headers sets the headers of every answer; `count` counts what it is
 */
export function answerClientError(
  error: { code?: string },
  socket: Socket,
  { headers, count }: { readonly headers: SecurityHeaders; readonly count: (error: ApiError) => void },
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(error.code);
  count(problem);
  const traceId = traceIdOf(formatTraceparent(newTrace(randomBytes(24))));
  const details = problemBody(problem, { path: '', traceId });
  const body = JSON.stringify(details);
  const head = [
    `HTTP/1.1 ${details.status} ${STATUS_CODES[details.status] ?? 'Error'}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  headers({ header: (name, value) => head.push(`${name}: ${value}`) }, '/');
  socket.end(`${head.join('\r\n')}\r\nconnection: close\r\n\r\n${body}`);
}

function problemOf(code = 'unknown'): ApiError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ApiError('request_timeout', 'the request did not arrive whole in time: send it again');
    case 'HPE_HEADER_OVERFLOW':
      return new ApiError(
        'headers_too_large',
        'address and headers together are too long: make them shorter',
      );
    default:
      return new ApiError('malformed_request', `this is no HTTP request that can be read (${code})`);
  }
}
