import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../problems/problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Milliseconds that a request may take beyond what every one may, e.g. because it asked to wait. */
    waits?: (request: FastifyRequest) => number;
  }
}

/** The requests that are under way. */
export interface UnderWay {
  /** Throws ApiError `stopping` once the server stops. */
  begin(request: FastifyRequest, reply: FastifyReply): void;
  /** Its connection has its answer, or is gone. */
  end(reply: FastifyReply): void;
}

/** How long a request may take from its arrival to its answer, milliseconds. */
export const TIME_LIMIT_MS = 5_000;
/** How long those that are under way may take to end when the server stops, milliseconds: longer than any may take. */
const GRACE_MS = 7_000;
/** How often it is looked whose time is over, milliseconds: one timer for all costs less than one for each. */
const LOOK_MS = 100;
/** When the server stops, connections that have just become idle are closed so soon, milliseconds. */
const IDLE_MS = 50;
/** Seconds. */
const RETRY_LATE = 2;
/** Seconds; another replica, or the next start of this one. */
const RETRY_STOPPING = 1;
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

interface Open {
  readonly request: FastifyRequest;
  readonly allowedMs: number;
  readonly until: number;
}

/**
 * Bounds the time of requests. One that takes too long is answered 503; what it began may go on, and nobody is told of it any more.
 * How long a body may take to arrive is limited by the server; an answer that has begun, as a stream of events has, is left alone.
 * When the server stops, new requests are refused, those under way are answered and then their connections are closed, and
 * what is still open after 7 s is cut.
 */
export function watchRequests(
  app: FastifyInstance,
  { limitMs = TIME_LIMIT_MS, graceMs = GRACE_MS }: { limitMs?: number; graceMs?: number } = {},
): UnderWay {
  const open = new Map<FastifyReply, Open>();
  let stopping = false;
  const look = setInterval(() => {
    const now = performance.now();
    for (const [reply, one] of open) if (one.until < now) endLate(reply, one);
  }, LOOK_MS);
  look.unref();

  app.addHook('preClose', (done) => {
    stopping = true;
    // Whoever gets an answer now must not send another request on the same connection.
    for (const { raw } of open.keys()) if (!raw.headersSent) raw.setHeader('connection', 'close');
    if (app.server.listening) closeConnections(app, graceMs);
    done();
  });
  app.addHook('onClose', async () => clearInterval(look));
  return {
    begin(request, reply) {
      if (stopping) {
        const message = 'this process stops: repeat the request';
        throw new ApiError('stopping', message, { retryAfter: RETRY_STOPPING });
      }
      const { waits } = request.routeOptions.config;
      const allowedMs = waits ? limitMs + waits(request) : limitMs;
      open.set(reply, { request, allowedMs, until: performance.now() + allowedMs });
    },
    end: (reply) => void open.delete(reply),
  };
}

function closeConnections({ server }: FastifyInstance, graceMs: number): void {
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_MS);
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  server.once('close', () => {
    clearInterval(idle);
    clearTimeout(cut);
  });
}

function endLate(reply: FastifyReply, { request, allowedMs }: Open): void {
  // A body that is still arriving has a limit of its own.
  if (reply.sent || reply.raw.headersSent || request.raw.complete === false) return;
  const seconds = `not done within ${allowedMs / 1_000} s`;
  const message = SAFE.has(request.method)
    ? `${seconds}: repeat it, or ask for less`
    : `${seconds}; it may be done all the same, so look before you repeat it, or repeat it with the same Idempotency-Key`;
  reply.send(new ApiError('timed_out', message, { retryAfter: RETRY_LATE }));
}
