import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, lastLine, run } from '@jetbeat/infra/dev';
import type { Installation } from './installation.ts';
import { installed } from './installed.ts';

const requirements = join(import.meta.dirname, 'requirements.txt');
const INSTALL_MS = 300_000;

/**
 * A Python environment of its own in the cache, with Celery at the versions of `requirements.txt`.
 * @throws with Python's or pip's last words
 */
export async function installCelery(params: {
  cacheDir: string;
  log: Log;
  signal: AbortSignal;
}): Promise<Installation> {
  const { log, signal } = params;
  const wanted = await readFile(requirements, 'utf8');
  const dir = join(params.cacheDir, 'bench-celery');
  const python = join(dir, 'bin/python');
  const version = await run({ command: 'python3', args: ['--version'], timeoutMs: 10_000, signal });
  if (version.code !== 0) throw new Error(`Celery needs python3 on PATH: ${lastLine(version)}`);
  await installed({
    dir,
    stamp: `${version.stdout.trim()}\n${wanted}`,
    async make() {
      log('installing Celery (pip) …');
      const steps = [
        { command: 'python3', args: ['-m', 'venv', dir] },
        {
          command: python,
          args: ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements],
        },
      ];
      for (const step of steps) {
        const done = await run({ ...step, timeoutMs: INSTALL_MS, signal });
        if (done.code !== 0) throw new Error(`${step.command} ${step.args.join(' ')}: ${lastLine(done)}`);
      }
    },
  });
  return {
    command: python,
    args: [],
    // Nothing is written beside the programs.
    env: { PYTHONDONTWRITEBYTECODE: '1' },
    versionOf: (name) => new RegExp(`^${name}==(.+)$`, 'm').exec(wanted)?.[1] ?? 'unknown',
  };
}
