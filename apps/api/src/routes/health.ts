import { addressesIn, type Checks, type HealthReport, healthReports, type Log } from '@jetbeat/runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Parts } from '../parts.ts';
import { answer } from '../problems/problem-responses.ts';

const isLoopback = addressesIn(['127.0.0.0/8', '::1']);

/**
 * `GET /livez` and `GET /readyz`, open to everybody. What is wrong may name servers and roles: it is told on the machine itself, and in the
 * log; whoever comes from elsewhere, or through a proxy, is told which checks are in order.
 */
export function healthRoutes(
  app: FastifyInstance,
  { live, ready, log }: Pick<Parts, 'live' | 'ready' | 'log'>,
): void {
  const serve = (url: string, summary: string, checks: Checks) => {
    const reportOf = healthReports(checks);
    const note = noteWrong(log, url);
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
      async (request, reply) => {
        const report = await reportOf();
        note(report);
        return reply
          .status(report.ok ? 200 : 503)
          .header('cache-control', 'no-store')
          .send(isFromHere(request) ? report : inShort(report));
      },
    );
  };
  serve('/livez', 'Whether the process itself is in order', live);
  serve('/readyz', 'Whether it gets on with its work', ready);
}

function isFromHere({ socket, headers }: FastifyRequest): boolean {
  const isPassedOn = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
  return isLoopback(socket.remoteAddress ?? '') && !isPassedOn;
}

function inShort({ ok, checks }: HealthReport): HealthReport {
  return { ok, checks: checks.map(({ name, ok }) => ({ name, ok })) };
}

/** Logs what is wrong, once for as long as it stays so: anybody may ask. */
function noteWrong(log: Pick<Log, 'warn'>, url: string): (report: HealthReport) => void {
  let noted = '';
  return ({ checks }) => {
    const wrong = checks.filter(({ ok }) => !ok);
    const names = wrong.map(({ name }) => name).join();
    if (names === noted) return;
    noted = names;
    if (wrong.length > 0) log.warn({ checks: wrong }, `${url} says that not all is in order`);
  };
}
