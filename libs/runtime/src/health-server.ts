import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Checks, healthReport } from './health.ts';
import { toListenError } from './listen-error.ts';

/** A running health server. */
export interface HealthServer {
  /** The port it listens on. */
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Serves `/livez` (is the process itself in order) and `/readyz` (does it get on with its work): 200 or 503 with a
 * report of the checks.
 * @param params.port 0 takes a free one
 * @throws ListenError, e.g. when the port is in use
 */
export async function startHealthServer(params: {
  host: string;
  port: number;
  live: Checks;
  ready: Checks;
}): Promise<HealthServer> {
  const { host, port, live, ready } = params;
  const paths = new Map<string, Checks>([
    ['/livez', live],
    ['/readyz', ready],
  ]);
  const server = createServer(
    { requestTimeout: 5_000, headersTimeout: 5_000, maxHeaderSize: 8_192 },
    async (request, response) => {
      const checks = paths.get((request.url ?? '').split('?')[0] ?? '');
      const known = checks !== undefined && (request.method === 'GET' || request.method === 'HEAD');
      const report = known ? await healthReport(checks) : { ok: false, checks: [] };
      const status = known ? (report.ok ? 200 : 503) : 404;
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : JSON.stringify(report));
    },
  );
  server.maxConnections = 100;
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
