import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../problems/problem.ts';
import { createBackPressure, type Queueing } from './back-pressure.ts';
import { createRateLimiter, type RateLimits } from './rate-limits.ts';
import type { SecurityHeaders } from './security-headers.ts';
import type { UnderWay } from './under-way.ts';

/** What keeps one caller, or many, from harm to the others. */
export interface EdgesParams {
  readonly limits: RateLimits;
  /** Milliseconds; never set back. */
  readonly monotonic?: (() => number) | undefined;
  readonly queueing: () => Queueing;
  readonly headers: SecurityHeaders;
  readonly underWay: UnderWay;
}

/** What others have to say to it. */
export interface Edges {
  /** To be called after the hook that finds out who asks. */
  limitCallers(api: FastifyInstance): void;
  /** A request was refused since it had no right key. */
  failed(request: FastifyRequest): void;
}

/** Asked by those who watch the process, above all when there is too much to do. */
const ALWAYS_ANSWERED: ReadonlySet<string | undefined> = new Set(['/livez', '/readyz', '/metrics']);

/** Files of the reference have plain names; what looks for others is told that there are none, not how it failed. */
const FILES = '/docs/';
const ODD_FILE = /%(?:00|2e|2f|5c)|\\|\.\./i;

/** Adds the limits that hold for every request, and the headers of every answer. To be called before the routes are added. */
export function addEdges(app: FastifyInstance, params: EdgesParams): Edges {
  const { limits, monotonic = () => performance.now(), queueing, headers, underWay } = params;
  const pressure = createBackPressure({ queueing });
  const limiter = createRateLimiter({ limits, monotonic });
  app.addHook('onClose', async () => pressure.stop());
  app.addHook('onRequest', (request, reply, done) => {
    headers(reply, request.url);
    const { url, config } = request.routeOptions;
    if (ALWAYS_ANSWERED.has(url)) return done();
    if (request.url.startsWith(FILES) && ODD_FILE.test(request.url))
      throw new ApiError('route_not_found', 'there is no such file: see /docs');
    pressure.check();
    limiter.address(request, reply);
    if (config.role !== undefined) limiter.beforeKey(request);
    underWay.begin(request, reply);
    done();
  });
  return {
    limitCallers(api) {
      api.addHook('onRequest', (request, reply, done) => {
        limiter.caller(request, reply);
        done();
      });
    },
    failed: limiter.failed,
  };
}
