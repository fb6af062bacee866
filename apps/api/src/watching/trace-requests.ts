import { formatTraceparent } from '@jetbeat/core';
import type { SpanPlace, Tracing } from '@jetbeat/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { traceIdOf } from './trace.ts';

/**
 * Makes a span of every request of the API: a child of the caller's where there is one, else the beginning of the trace that
 * the request's log lines already name. To be called before the routes are added.
 */
export async function traceRequests(app: FastifyInstance, tracing: Tracing): Promise<void> {
  const { FastifyOtelInstrumentation } = await import('@fastify/otel');
  const places = new WeakMap<FastifyRequest, SpanPlace>();
  app.addHook('onRequest', (request, _reply, done) => tracing.inTrace(traceIdOf(request.id), done));
  const instrumentation = new FastifyOtelInstrumentation({
    instrumentHooks: false,
    instrumentHandler: false,
    // Its errors are the caller's: they are answered and logged, and may quote what was sent.
    recordExceptions: false,
    ignorePaths: ({ url }) => !url.startsWith('/api/'),
    requestHook(span, { method, url, routeOptions }) {
      span.updateName(`${method} ${routeOptions.url ?? 'none'}`);
      span.setAttribute('url.path', (url.split('?')[0] ?? '').slice(0, 512));
    },
  });
  await app.register(instrumentation.plugin());
  app.addHook('onRequest', (request, reply, done) => {
    const place = tracing.active();
    if (place) {
      places.set(request, place);
      void reply.header('traceparent', formatTraceparent(place));
    }
    done();
  });
  // Between the two a body was read, and its events do not know for whom.
  app.addHook('preHandler', (request, _reply, done) => {
    const place = places.get(request);
    if (place) tracing.within({ place }, done);
    else done();
  });
}
