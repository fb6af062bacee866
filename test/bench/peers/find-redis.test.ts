import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findRedis, redisVersion } from './find-redis.ts';
import type { RedisSource } from './redis-from-debian.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A program that tells a version, as an unpacked package has it. */
async function unpack(root: string, version: string): Promise<void> {
  await mkdir(join(root, 'usr/bin'), { recursive: true });
  await mkdir(join(root, 'usr/lib/some-triplet'), { recursive: true });
  const program = `#!/bin/sh\necho "Redis server v=${version} sha=00000000:0"\n`;
  await writeFile(join(root, 'usr/bin/redis-server'), program, { mode: 0o755 });
}

function find(params: { command?: string; source: RedisSource }) {
  const { signal } = new AbortController();
  return findRedis({ cacheDir: dir, log() {}, signal, command: 'no-such-redis-server', ...params });
}

const refuses: RedisSource = async () => ({ why: 'this is not Debian' });

test('the version is what follows v=', () => {
  expect(redisVersion('Redis server v=8.2.1 sha=00000000:1 malloc=libc bits=64')).toBe('8.2.1');
  expect(redisVersion('nats-server: v2.15.1')).toBeUndefined();
});

test('the one of PATH comes first', async () => {
  await unpack(dir, '8.0.2');
  const path = join(dir, 'usr/bin/redis-server');
  expect(await find({ command: path, source: refuses })).toEqual({ path, version: '8.0.2', env: {} });
});

test('a fetched one runs with the libraries unpacked beside it, and is found in the cache the next time', async () => {
  const fetches: RedisSource = async (params) => {
    const root = join(params.dir, 'root');
    await unpack(root, '7.0.15');
    return { root };
  };
  const fetched = await find({ source: fetches });
  expect(fetched.version).toBe('7.0.15');
  expect(fetched.env['LD_LIBRARY_PATH']).toBe(join(fetched.path, '../../lib/some-triplet'));
  expect(await find({ source: refuses })).toEqual(fetched);
});

test('where there is none, the error says what was tried and what to install', async () => {
  await expect(find({ source: refuses })).rejects.toThrow(
    /no redis-server on PATH \(.*ENOENT.*\), and the Debian package: this is not Debian\. Install Redis/,
  );
});
