import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { becomesReady, freePort, startServerProcess, tailOf, troubleOf } from '@jetbeat/infra/dev';
import { askRedis } from './ask-redis.ts';
import type { Redis } from './find-redis.ts';
import type { PeerServer } from './peer-server.ts';

/** Nothing is written to disk. */
export const memoryArgs = ['--save', '', '--appendonly', 'no'] as const;
/** Every write is on disk before it is answered: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/ */
export const fsyncArgs = ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'] as const;

const READY_MS = 10_000;

/**
 * Starts Redis on a free port of 127.0.0.1 with its data in `dir`; jobs are never evicted.
 * @throws with its last words when it does not become ready
 */
export async function startRedis(params: {
  redis: Redis;
  dir: string;
  args: readonly string[];
  signal: AbortSignal;
}): Promise<PeerServer> {
  const { redis, dir, signal } = params;
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const outputFile = join(dir, 'redis.log');
  const where = ['--bind', '127.0.0.1', '--port', String(port), '--dir', dir];
  const server = await startServerProcess({
    command: redis.path,
    args: [...where, '--maxmemory-policy', 'noeviction', ...params.args],
    cwd: dir,
    env: { ...process.env, ...redis.env },
    outputFile,
    stopSignals: [{ signal: 'SIGTERM', waitMs: 5000 }],
  });
  const ready = () =>
    askRedis(url, 'PING').then(
      (answer) => answer === 'PONG',
      () => false,
    );
  const state = await becomesReady({ server, ready, timeoutMs: READY_MS, signal });
  if (state !== 'ready') {
    server.kill();
    await server.exited;
    throw new Error(`Redis ${troubleOf(state)}:\n${await tailOf(outputFile)}`);
  }
  return {
    url,
    version: `Redis ${redis.version}`,
    count: async (command) => Number((await askRedis(url, command)) ?? Number.NaN),
    stop: () => server.stop(),
  };
}
