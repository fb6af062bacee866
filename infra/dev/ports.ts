import { createServer } from 'node:net';
import { StartError } from './start-error.ts';

/** True when nothing listens on this port of 127.0.0.1 and it can be bound now. */
export function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

const lowest = 20_000;
const count = 12_000;

/**
 * A free port of 127.0.0.1 between 20000 and 31999. It lies below the range from which the kernels of Linux and
 * macOS give ports to outgoing connections, so that a server killed and started again finds its port still free.
 * Throws when a hundred random tries find none.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = lowest + Math.floor(Math.random() * count);
    if (await portIsFree(port)) return port;
  }
  throw new StartError(`no free port found between ${lowest} and ${lowest + count - 1} on 127.0.0.1`);
}
