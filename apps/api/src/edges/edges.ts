import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../access/caller.ts';
import { ApiError } from '../problems/problem.ts';
import { sentSession } from '../sign-in/session-cookie.ts';
import type { SiteDoor } from '../sign-in/site.ts';
import { createBackPressure, type Queueing } from './back-pressure.ts';
import type { Connections } from './connections.ts';
import { createRateLimiter, type RateLimits } from './rate-limits.ts';
import type { UnderWay } from './under-way.ts';

/** What keeps one caller, or many, from harm to the others. */
export interface EdgesParams {
  readonly limits: RateLimits;
  /** Milliseconds; never set back. */
  readonly monotonic?: (() => number) | undefined;
  readonly queueing: () => Queueing;
  readonly underWay: UnderWay;
  readonly connections: Pick<Connections, 'check'>;
  /** How browsers reach the API. */
  readonly door: SiteDoor & { readonly isOpen: boolean };
}

/** What others have to say to it. */
export interface Edges {
  /** To be called after the hook that finds out who asks. */
  limitCallers(api: FastifyInstance): void;
  /** A request of a route that asks for keys itself had a right one. */
  wasRight(caller: Caller): void;
  /** A request was refused since it had no right key. */
  failed(request: FastifyRequest): void;
}

const METRICS = '/metrics';
/** Asked by those who watch the process, above all when there is too much to do. */
const ALWAYS_ANSWERED: ReadonlySet<string | undefined> = new Set(['/livez', '/readyz', METRICS]);

/** Files of the reference have plain names; what looks for others is told that there are none, not how it failed. */
const FILES = '/docs/';
const ODD_FILE = /%(?:00|2e|2f|5c)|\\|\.\./i;

/** Adds the limits that hold for every request. To be called before the routes are added. */
export function addEdges(app: FastifyInstance, params: EdgesParams): Edges {
  const { limits, monotonic = () => performance.now(), queueing, underWay, connections, door } = params;
  const pressure = createBackPressure({ queueing });
  const sessionOf = (request: FastifyRequest) => sentSession(request, door)?.hash;
  const limiter = createRateLimiter({ limits, monotonic, sessionOf });
  app.addHook('onClose', async () => pressure.stop());
  // Else Node answers it, as no answer of ours is.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.addHook('onRequest', (request, reply, done) => {
    const { url, config } = request.routeOptions;
    const always = ALWAYS_ANSWERED.has(url);
    connections.check(request, reply, always);
    needPlainExpectation(request);
    if (always) {
      // It asks for a key there, and so may be a place to guess them.
      if (url === METRICS && door.isOpen) {
        limiter.address(request, reply);
        limiter.beforeKey(request);
      }
      return done();
    }
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
        // At a route for anyone nobody is known.
        if (request.caller) limiter.caller(request, reply);
        done();
      });
    },
    wasRight: limiter.wasRight,
    failed: limiter.failed,
  };
}

/** Node itself tells whoever expects `100-continue` to go on (RFC 9110 §10.1.1). */
function needPlainExpectation({ headers: { expect } }: FastifyRequest): void {
  if (expect === undefined || expect.toLowerCase() === '100-continue') return;
  throw new ApiError('expectation_failed', 'of "Expect" only "100-continue" is done here: leave it away');
}
