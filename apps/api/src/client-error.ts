import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { formatTraceparent, newTrace } from '@jetbeat/core';
import { ApiError, problemBody } from './problem.ts';
import { traceIdOf } from './trace.ts';

/** Answers what Node could not read as HTTP: there is no request yet, only the connection, which ends with this. */
export function answerClientError(error: { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = new ApiError(
    'malformed_request',
    `this is no HTTP request that can be read (${error.code ?? 'unknown'})`,
  );
  const traceId = traceIdOf(formatTraceparent(newTrace(randomBytes(24))));
  const body = JSON.stringify(problemBody(problem, { path: '', traceId }));
  const head = [
    'HTTP/1.1 400 Bad Request',
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.end(`${head.join('\r\n')}\r\nconnection: close\r\n\r\n${body}`);
}
