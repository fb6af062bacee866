import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTP server outside the system that keeps what it is sent, and answers 200. */
export interface WebReceiver {
  readonly url: string;
  /** In the order of their arrival. */
  readonly requests: readonly Received[];
  stop(): void;
}

/** Starts one on a free port. */
export async function startWebReceiver(): Promise<WebReceiver> {
  const requests: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push({ path: request.url ?? '', headers: request.headers, body });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, stop: () => void server.close() };
}
