import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** What came of some test files. */
export interface TestsResult {
  /** `unclear`: not within the time, or ended without any test that failed. */
  readonly outcome: 'passed' | 'failed' | 'unclear';
  /** The names of those that failed. */
  readonly failed: readonly string[];
  readonly seconds: number;
  /** The end of what the run said. */
  readonly output: string;
}

interface Report {
  readonly numTotalTests?: number;
  readonly testResults?: readonly {
    readonly assertionResults?: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** How long a run may take to end in order once it was told to, milliseconds. */
const STOP_MS = 8_000;

/**
 * Runs test files of a tree in a process group of its own; nothing of it is left when this resolves.
 * @param params.only tests with this in their name; default all
 */
export async function runTests(params: {
  dir: string;
  files: readonly string[];
  only?: string | undefined;
  timeoutMs: number;
  signal: AbortSignal;
}): Promise<TestsResult> {
  const { dir, files, only, timeoutMs, signal } = params;
  const begun = performance.now();
  const reportFile = join(dir, '.jetbeat', 'mutant-report.json');
  await rm(reportFile, { force: true });
  const args = ['run', ...files, '--reporter=json', '--reporter=default', `--outputFile.json=${reportFile}`];
  if (only !== undefined) args.push('-t', only.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const child = spawn(join(dir, 'node_modules', '.bin', 'vitest'), args, {
    cwd: dir,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, CI: '1', NO_COLOR: '1' },
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-8_192);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const signalGroup = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // Nothing of it is left.
    }
  };
  let killing: NodeJS.Timeout | undefined;
  const end = () => {
    signalGroup('SIGTERM');
    killing ??= setTimeout(() => signalGroup('SIGKILL'), STOP_MS);
  };
  const late = setTimeout(end, timeoutMs);
  signal.addEventListener('abort', end, { once: true });
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', (exit) => resolve(exit));
  });
  clearTimeout(late);
  clearTimeout(killing);
  signal.removeEventListener('abort', end);
  signalGroup('SIGKILL');
  const seconds = (performance.now() - begun) / 1_000;
  const report = await readFile(reportFile, 'utf8').then(
    (text) => JSON.parse(text) as Report,
    (): Report => ({}),
  );
  const results = report.testResults?.flatMap(({ assertionResults = [] }) => assertionResults) ?? [];
  const failed = results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
  const passed = results.filter(({ status }) => status === 'passed').length;
  if (failed.length > 0) return { outcome: 'failed', failed, seconds, output };
  return { outcome: code === 0 && passed > 0 ? 'passed' : 'unclear', failed, seconds, output };
}
