import { type Checks, healthReport } from '@jetbeat/runtime';
import type { FastifyInstance } from 'fastify';
import type { Parts } from '../parts.ts';
import { answer } from '../problems/problem-responses.ts';

/** `GET /livez` and `GET /readyz`, open to everybody. */
export function healthRoutes(app: FastifyInstance, { live, ready }: Pick<Parts, 'live' | 'ready'>): void {
  const serve = (url: string, summary: string, checks: Checks) =>
    app.get(
      url,
      {
        schema: {
          operationId: url.slice(1),
          tags: ['health'],
          summary,
          security: [],
          response: {
            200: answer('It is so.', 'Health'),
            503: answer('It is not so; the checks say why.', 'Health'),
          },
        },
      },
      async (_request, reply) => {
        const report = await healthReport(checks);
        return reply
          .status(report.ok ? 200 : 503)
          .header('cache-control', 'no-store')
          .send(report);
      },
    );
  serve('/livez', 'Whether the process itself is in order', live);
  serve('/readyz', 'Whether it gets on with its work', ready);
}
