import { METRICS_TYPE, type Metrics } from '@jetbeat/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Caller, needEveryQueue } from '../access/caller.ts';
import type { Parts } from '../parts.ts';

/**
 * `GET /metrics`, for Prometheus. It has names of queues and routes and numbers, never anything of a job; many scrapers cost one look. On the
 * machine itself it is open like `/livez`, so that every app is scraped alike; where others reach the API it needs a key for all queues.
 */
export function metricsRoute(app: FastifyInstance, { metrics, callers, door, wasRight }: MetricsParts): void {
  const needKey = async (request: FastifyRequest) => {
    if (!door.isOpen) return;
    const caller = await callers.of(request);
    wasRight(caller);
    needEveryQueue(caller);
  };
  app.get('/metrics', { schema: { hide: true }, onRequest: needKey }, async (_request, reply) =>
    reply
      .type(METRICS_TYPE)
      .header('cache-control', 'no-store')
      .send(await metrics.page()),
  );
}

type MetricsParts = Pick<Parts, 'callers' | 'door'> & {
  readonly metrics: Pick<Metrics, 'page'>;
  /** Told of whoever had a right key. */
  readonly wasRight: (caller: Caller) => void;
};
