import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Source } from './nats-version.ts';
import { lastLine, run } from './run.ts';

// SHA-256 of the archives of one release, as the server's own container images pin them
// (nats-io/nats-docker, 2.15.x/alpine3.22/Dockerfile). That file names no archives for macOS, so there go install is used.
const version = '2.15.0';
const sums: Record<string, { platform: string; sha256: string } | undefined> = {
  'linux-x64': {
    platform: 'linux-amd64',
    sha256: '5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92',
  },
  'linux-arm64': {
    platform: 'linux-arm64',
    sha256: 'cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112',
  },
};

const connectMs = 10_000;
const wholeMs = 180_000;

/** The official release for this platform, refused when its sum is not the pinned one. */
export const fromRelease: Source = async ({ dir, log, signal }) => {
  const pinned = sums[`${process.platform}-${process.arch}`];
  if (pinned === undefined) return { why: `no pinned sum for ${process.platform}-${process.arch}` };
  const name = `nats-server-v${version}-${pinned.platform}`;
  const url = `https://github.com/nats-io/nats-server/releases/download/v${version}/${name}.tar.gz`;
  const body = await download(url, signal);
  if (typeof body === 'string') return { why: body };
  const sum = createHash('sha256').update(body).digest('hex');
  if (sum !== pinned.sha256) return { why: `${url} has the SHA-256 sum ${sum}, expected ${pinned.sha256}` };
  log(`nats-server: ${(body.length / 1024 ** 2).toFixed(1)} MiB downloaded, sum verified`);
  const archive = join(dir, 'archive.tar.gz');
  await writeFile(archive, body);
  const tar = await run({ command: 'tar', args: ['-xzf', archive, '-C', dir], timeoutMs: 60_000 });
  if (tar.code !== 0) return { why: `tar: ${lastLine(tar)}` };
  return { path: join(dir, name, 'nats-server') };
};

async function download(url: string, stopped: AbortSignal | undefined): Promise<Buffer | string> {
  // The first answer must come soon, so that a network that swallows packets does not hold up the next source.
  const first = new AbortController();
  const timer = setTimeout(() => first.abort(new Error(`no answer within ${connectMs / 1000} s`)), connectMs);
  try {
    const bounds = [first.signal, AbortSignal.timeout(wholeMs)];
    const signal = AbortSignal.any(stopped === undefined ? bounds : [...bounds, stopped]);
    const response = await fetch(url, { signal });
    clearTimeout(timer);
    if (!response.ok) return `${url} answered ${response.status}`;
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    const { message, cause } = error as Error;
    return `${url}: ${cause instanceof Error ? cause.message : message}`;
  } finally {
    clearTimeout(timer);
  }
}
