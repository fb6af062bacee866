import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const VERSION = '4.32.5';
const INSTALL_MS = 600_000;
const FOLDER = resolve(import.meta.dirname, '../../.jetbeat/cache/schemathesis', VERSION);
const MAX_OUTPUT = 64 * 1024 ** 2;

/** What a run of it came to. */
export interface Checked {
  readonly code: number;
  readonly said: string;
}

/**
 * Makes the tool ready: a virtual environment of Python, kept from run to run, into which the user's own pip puts it.
 * @returns runs it with these arguments
 * @throws when there is no Python, or the registry that pip knows does not have it
 */
export async function schemathesis(): Promise<
  (args: readonly string[], timeoutMs: number) => Promise<Checked>
> {
  const program = resolve(FOLDER, 'bin', 'st');
  if (!existsSync(program)) {
    try {
      await mkdir(FOLDER, { recursive: true });
      await run('python3', ['-m', 'venv', FOLDER], { timeout: INSTALL_MS });
      const wanted = ['install', '--quiet', `schemathesis==${VERSION}`];
      await run(resolve(FOLDER, 'bin', 'pip'), wanted, { timeout: INSTALL_MS });
    } catch (cause) {
      throw new Error(`schemathesis ${VERSION} could not be had from PyPI: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
  return (args, timeout) =>
    new Promise((done) => {
      // In a folder of its own, where it keeps what it has found.
      execFile(program, args, { cwd: FOLDER, timeout, maxBuffer: MAX_OUTPUT }, (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
        done({ code, said: `${stdout}\n${stderr}` });
      });
    });
}
