import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, lastLine, run } from '@jetbeat/infra/dev';
import type { Installation } from './installation.ts';
import { installed } from './installed.ts';

const here = import.meta.dirname;
const INSTALL_MS = 300_000;

/**
 * The npm packages of the peers, at the versions of the lock file beside this one. They are no dependencies of Jetbeat,
 * so they are installed into a folder of the cache, the first time they are wanted.
 * @throws with npm's last words
 */
export async function installPackages(params: {
  cacheDir: string;
  log: Log;
  signal: AbortSignal;
}): Promise<Installation> {
  const lock = await readFile(join(here, 'package-lock.json'), 'utf8');
  const dir = join(params.cacheDir, 'bench-peers');
  await installed({
    dir,
    stamp: `${process.platform}-${process.arch} node ${process.versions.modules}\n${lock}`,
    async make() {
      params.log('installing the npm packages of the peers (npm ci) …');
      for (const name of ['package.json', 'package-lock.json'])
        await copyFile(join(here, name), join(dir, name));
      const args = ['ci', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
      const done = await run({
        command: 'npm',
        args,
        cwd: dir,
        timeoutMs: INSTALL_MS,
        signal: params.signal,
      });
      if (done.code !== 0) throw new Error(`npm ci: ${lastLine(done)}`);
    },
  });
  const { packages } = JSON.parse(lock) as { packages: Record<string, { version?: string }> };
  return {
    command: process.execPath,
    args: [join(here, 'programs/measure.mjs')],
    env: { PEERS_DIR: dir },
    versionOf: (name) => packages[`node_modules/${name}`]?.version ?? 'unknown',
  };
}
