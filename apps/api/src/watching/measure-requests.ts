import { createCells, Histogram, type Readings } from '@jetbeat/runtime';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** More series than the routes of this API have methods and classes of status. */
const MAX_SERIES = 400;

/**
 * Counts the requests of a server, by the template of their route, never by their path.
 * @param ended told of each when its answer is out, or its caller gone
 */
export function measureRequests(
  app: FastifyInstance,
  ended: (reply: FastifyReply) => void = () => {},
): () => Readings {
  const counts = createCells<'route' | 'method' | 'status', number>({
    open: 'route',
    make: () => 0,
    max: MAX_SERIES,
  });
  const times = createCells<'route' | 'method', Histogram>({
    open: 'route',
    make: () => new Histogram(),
    max: MAX_SERIES,
  });
  let inFlight = 0;
  app.addHook('onRequest', (request, reply, done) => {
    const begun = performance.now();
    const { method, routeOptions } = request;
    const route = routeOptions.url ?? 'none';
    // One that goes on for hours says nothing about how fast requests are answered.
    const weight = routeOptions.config?.stream ? 0 : 1;
    inFlight += weight;
    // Comes once, whether the answer was read or not; Fastify's own hook does not come for the latter.
    reply.raw.once('close', () => {
      inFlight -= weight;
      ended(reply);
      const status = reply.raw.writableFinished ? `${Math.trunc(reply.raw.statusCode / 100)}xx` : 'gone';
      counts.of({ route, method, status }).value += 1;
      if (weight > 0) times.of({ route, method }).value.record((performance.now() - begun) / 1_000);
    });
    done();
  });
  return () => ({
    jetbeat_api_requests_total: counts.all,
    jetbeat_api_request_seconds: times.all,
    jetbeat_api_requests_in_flight: inFlight,
  });
}
