import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the outside world saw of one URL. Times in Unix milliseconds. */
interface Effect {
  readonly arrivals: number[];
}

/** An HTTP server outside the system that counts what really happened and answers `{hits}`; nothing under test can change it afterwards. */
export interface Ledger {
  readonly url: string;
  readonly effects: ReadonlyMap<string, Effect>;
  /** Resolves when at least this many different paths were hit; rejects after the bound. */
  distinct(count: number, timeoutMs: number): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param params.answerMs how long the server takes for an answer, so that jobs are in flight when something is killed; for all paths, or for each
 * @param params.failsFirst paths whose first hit is answered with 500, so that their jobs are tried again
 */
export async function startLedger(
  params: { answerMs?: number | ((path: string) => number); failsFirst?: (path: string) => boolean } = {},
): Promise<Ledger> {
  const { answerMs = 0, failsFirst = () => false } = params;
  const effects = new Map<string, Effect>();
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const effect = effects.get(path) ?? { arrivals: [] };
    effect.arrivals.push(Date.now());
    effects.set(path, effect);
    request.resume();
    if (effect.arrivals.length === 1 && failsFirst(path)) response.statusCode = 500;
    const takes = typeof answerMs === 'number' ? answerMs : answerMs(path);
    setTimeout(() => response.end(JSON.stringify({ hits: effect.arrivals.length })), takes);
    for (const look of waiting) look();
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    effects,
    distinct: (count, timeoutMs) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => {
          waiting.delete(look);
          clearTimeout(timer);
          if (error) reject(error);
          else resolve();
        };
        const look = () => {
          if (effects.size >= count) end();
        };
        const timer = setTimeout(
          () => end(new Error(`only ${effects.size} of ${count} URLs were hit within ${timeoutMs} ms`)),
          timeoutMs,
        );
        waiting.add(look);
        look();
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
