import { METRICS_TYPE, type Metrics } from '@jetbeat/runtime';
import type { FastifyInstance } from 'fastify';

/**
 * `GET /metrics`, for Prometheus: open like `/livez`, so that every app is scraped alike. It has names of queues and routes and
 * numbers, never anything of a job; many scrapers cost one look.
 */
export function metricsRoute(app: FastifyInstance, { metrics }: { metrics: Pick<Metrics, 'page'> }): void {
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .type(METRICS_TYPE)
      .header('cache-control', 'no-store')
      .send(await metrics.page()),
  );
}
