import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitUntil } from './wait-until.ts';

/** An HTTP server outside the system whose answers a test holds back: a handler that asks it runs until the test lets it go. */
export interface Gates {
  readonly url: string;
  /** How often this path was asked for. */
  entered(path: string): number;
  /** Resolves when it was asked for so often. */
  until(path: string, count: number): Promise<void>;
  /** Answers those that wait at this path now, and all that come later. */
  open(path: string): void;
  stop(): Promise<void>;
}

/** Every path is closed at first. */
export async function startGates(): Promise<Gates> {
  const counts = new Map<string, number>();
  const waiting = new Map<string, ServerResponse[]>();
  const opened = new Set<string>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    counts.set(path, (counts.get(path) ?? 0) + 1);
    request.resume();
    if (opened.has(path)) response.end('{}');
    else waiting.set(path, [...(waiting.get(path) ?? []), response]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const entered = (path: string) => counts.get(path) ?? 0;
  return {
    url: `http://127.0.0.1:${port}`,
    entered,
    until: async (path, count) => {
      await waitUntil(`${path} was asked for ${count} times`, () => entered(path) >= count);
    },
    open(path) {
      opened.add(path);
      for (const response of waiting.get(path) ?? []) response.end('{}');
      waiting.delete(path);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
