import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exists, type Log, run } from '@jetbeat/infra/dev';
import { type RedisSource, redisFromDebian } from './redis-from-debian.ts';

/** A redis-server that runs on this machine. */
export interface Redis {
  readonly path: string;
  readonly version: string;
  /** Where its libraries are, when they are not the system's. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The redis-server of `PATH`, that of the cache, or Debian's package, which is then kept in the cache.
 * @throws an error that says what was tried and what to install
 */
export async function findRedis(params: {
  cacheDir: string;
  log: Log;
  signal: AbortSignal;
  /** What is looked for on `PATH`; for tests. */
  command?: string;
  source?: RedisSource;
}): Promise<Redis> {
  const { log, signal, command = 'redis-server', source = redisFromDebian } = params;
  const onPath = await tryRedis(command, {});
  if ('path' in onPath) return onPath;
  const dir = join(params.cacheDir, 'redis-server', `${process.platform}-${process.arch}`);
  const cached = await unpacked(join(dir, 'root'));
  if ('path' in cached) return cached;
  log('redis-server: none on PATH; trying the Debian package …');
  const fetched = await source({ dir, signal });
  const found = 'root' in fetched ? await unpacked(fetched.root) : fetched;
  if ('path' in found) return found;
  throw new Error(
    `no redis-server on PATH (${onPath.why}), and the Debian package: ${found.why}. Install Redis ` +
      '(macOS: brew install redis; Debian: apt-get install redis-server) so that redis-server is on PATH',
  );
}

/** The server in an unpacked root, with the libraries that were unpacked beside it. */
async function unpacked(root: string): Promise<Redis | { why: string }> {
  const path = join(root, 'usr/bin/redis-server');
  if (!(await exists(path))) return { why: `${path} is not there` };
  const libraries: string[] = [];
  for (const parent of [join(root, 'usr/lib'), join(root, 'lib')]) {
    const triplets = await readdir(parent).catch(() => []);
    libraries.push(...triplets.map((triplet) => join(parent, triplet)));
  }
  return tryRedis(path, { LD_LIBRARY_PATH: libraries.join(':') });
}

async function tryRedis(path: string, env: Record<string, string>): Promise<Redis | { why: string }> {
  const asked = await run({
    command: path,
    args: ['--version'],
    env: { ...process.env, ...env },
    timeoutMs: 10_000,
  });
  const version = redisVersion(asked.stdout);
  return version === undefined
    ? { why: asked.stderr.trim() || 'it does not tell its version' }
    : { path, version, env };
}

/** The version in what `redis-server --version` prints; undefined when there is none. */
export function redisVersion(text: string): string | undefined {
  return /\bv=(\d+\.\d+\.\d+)/.exec(text)?.[1];
}
