import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runTask, type TaskRun } from '@jetbeat/task/testing';
import { type HttpAgent, openHttpAgent } from './http-agent.ts';
import { httpRequest } from './http-request.ts';

/** A server on loopback, and an agent that may call it. */
export interface Place {
  readonly port: number;
  readonly origin: string;
  /** Requests that came. */
  hits: number;
  handler: (request: IncomingMessage, response: ServerResponse, body: string) => void;
  /** Runs `http.request`, with the agent of the place unless another one is given. */
  call(input: unknown, agent?: HttpAgent): Promise<TaskRun>;
  close(): Promise<void>;
}

/** Starts a server that answers `fine` until it is told otherwise. */
export async function startPlace(): Promise<Place> {
  const server = createServer(async (request, response) => {
    place.hits++;
    let body = '';
    for await (const chunk of request) body += chunk;
    place.handler(request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const own = openHttpAgent({ allowHosts: [], allowLoopback: true });
  const place: Place = {
    port,
    origin: `http://127.0.0.1:${port}`,
    hits: 0,
    handler: (_request, response) => void response.end('fine'),
    call: (input, agent = own) => runTask(httpRequest(agent), input as { url: string }),
    async close() {
      await own.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return place;
}
