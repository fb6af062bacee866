import { join } from 'node:path';
import { freePort, startServerProcess } from '@jetbeat/infra/dev';
import { waitUntil } from '../support/wait-until.ts';

/** A Fastify server of one route, for comparison. */
export interface Bare {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts it; resolves when it answers. */
export async function startBare(params: { databaseUrl: string; logFile: string }): Promise<Bare> {
  const port = await freePort();
  const bare = await startServerProcess({
    command: process.execPath,
    args: [join(import.meta.dirname, 'bare-route.ts'), params.databaseUrl, String(port)],
    cwd: import.meta.dirname,
    env: { PATH: process.env['PATH'] ?? '' },
    outputFile: params.logFile,
    stopSignals: [{ signal: 'SIGTERM', waitMs: 5_000 }],
  });
  const url = `http://127.0.0.1:${port}`;
  await waitUntil('the bare route answers', async () => (await fetch(`${url}/readyz`)).ok);
  return { pid: bare.pid, url, stop: bare.stop };
}
