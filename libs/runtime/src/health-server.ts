import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Checks, type HealthReport, healthReports } from './health.ts';
import { toListenError } from './listen-error.ts';
import { METRICS_TYPE, type Metrics } from './metrics/metrics.ts';

/** A running health server. */
export interface HealthServer {
  /** The port it listens on. */
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Serves `/livez` (is the process itself in order) and `/readyz` (does it get on with its work): 200 or 503 with a
 * report of the checks; and `/metrics`. All of it without a key, so the port belongs to the operator's network.
 * @param params.port 0 takes a free one
 * @throws ListenError, e.g. when the port is in use
 */
export async function startHealthServer(params: {
  host: string;
  port: number;
  live: Checks;
  ready: Checks;
  metrics: Pick<Metrics, 'page'>;
  /** How long a report is given to whoever asks, milliseconds. */
  freshMs?: number;
}): Promise<HealthServer> {
  const { host, port, live, ready, metrics, freshMs } = params;
  const freshness = freshMs === undefined ? {} : { freshMs };
  const paths = new Map<string, () => Promise<HealthReport>>([
    ['/livez', healthReports(live, freshness)],
    ['/readyz', healthReports(ready, freshness)],
  ]);
  const server = createServer(
    { requestTimeout: 5_000, headersTimeout: 5_000, maxHeaderSize: 8_192 },
    async (request, response) => {
      const path = (request.url ?? '').split('?')[0];
      const isKnown = path === '/metrics' || paths.has(path ?? '');
      if (isKnown && request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD');
        send(response, {
          status: 405,
          type: 'application/json',
          body: JSON.stringify({ ok: false, checks: [] }),
        });
        return;
      }
      if (path === '/metrics') {
        await sendMetrics(metrics, response);
        return;
      }
      const reportOf = paths.get(path ?? '');
      const report = reportOf ? await reportOf() : { ok: false, checks: [] };
      send(response, {
        status: reportOf ? (report.ok ? 200 : 503) : 404,
        type: 'application/json',
        body: JSON.stringify(report),
      });
    },
  );
  server.maxConnections = 200;
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw toListenError(error, { host, port, setting: 'JETBEAT_HEALTH_PORT' });
  });
  let closed: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    stop() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

async function sendMetrics(metrics: Pick<Metrics, 'page'>, response: ServerResponse): Promise<void> {
  try {
    send(response, { status: 200, type: METRICS_TYPE, body: await metrics.page() });
  } catch (error) {
    const body = `the page cannot be made: ${error instanceof Error ? error.message : String(error)}\n`;
    send(response, { status: 500, type: 'text/plain; charset=utf-8', body });
  }
}

/** Of a HEAD only the headers go out: Node leaves the body away. */
function send(response: ServerResponse, answer: { status: number; type: string; body: string }): void {
  const { status, type, body } = answer;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}
