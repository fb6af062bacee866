import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readReport, type Tally } from './check-report.ts';
import { resolveNatsServer } from './find-nats-server.ts';
import { type Foreground, runInForeground } from './foreground.ts';
import { unproven } from './proofs.ts';
import { inWords } from './start-error.ts';
import { untilStopped } from './until-stopped.ts';

const root = resolve(import.meta.dirname, '../..');
const bin = (name: string) => join(root, 'node_modules', '.bin', name);
/** Say what users of Celery find here, and what becomes of bad input, each with the test that proves it. */
const PROMISES = ['docs/celery.md', 'docs/bad-input.md'];
/** Checks that turbo keeps the answer of, as long as no file that they read has changed. */
const checks = ['lint', 'typecheck', 'structure', 'unused', 'covered'];
/** What the tests that `covered` runs came to; turbo keeps it too. The other tests are run without them. */
const COVERED_REPORT = '.jetbeat/covered-report.json';

/** What `npm test` does after the set-up: every check, then all tests, then the count. Returns the exit code. */
async function check(params: {
  long: boolean;
  signal: AbortSignal;
  onRun: (run: Foreground) => void;
}): Promise<number> {
  const { signal } = params;
  const cacheDir = join(root, '.jetbeat', 'cache');
  await mkdir(cacheDir, { recursive: true });
  await resolveNatsServer({
    cacheDir,
    log: console.log,
    signal,
    bin: process.env['JETBEAT_NATS_SERVER_BIN'] ?? '',
  });
  const env = {
    ...process.env,
    TURBO_TELEMETRY_DISABLED: '1',
    DO_NOT_TRACK: '1',
  };
  const step = async (command: string, args: readonly string[]): Promise<number> => {
    signal.throwIfAborted();
    const run = runInForeground({ command, args, cwd: root, env });
    params.onRun(run);
    const code = await run.exited;
    signal.throwIfAborted();
    return code;
  };
  await rm(join(root, COVERED_REPORT), { force: true });
  const total: Tally = { passed: 0, failed: 0, notes: [] };
  for (const name of params.long ? [] : checks) {
    console.log(`\n── ${name}`);
    const code = await step(bin('turbo'), ['run', name, '--output-logs=new-only', '--log-order=stream']);
    if (code === 0) total.passed++;
    else {
      total.failed++;
      total.notes.push(`the check ${name} failed`);
    }
  }
  console.log('\n── tests');
  const reportFile = join(root, '.jetbeat', 'test-report.json');
  await rm(reportFile, { force: true });
  const config = params.long ? ['--config', join(root, 'vitest.long.config.ts')] : ['--project=!core'];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const code = await step(bin('vitest'), ['run', ...config, ...reporters]);
  const reports = [{ file: reportFile, code }];
  if (!params.long) reports.push({ file: join(root, COVERED_REPORT), code: 0 });
  for (const report of reports) {
    const tests = await readReport(report);
    total.passed += tests.passed;
    total.failed += tests.failed;
    total.notes.push(...tests.notes);
  }
  // A promise without a test that passed is one failure.
  for (const document of PROMISES) {
    const broken = await unproven({
      root,
      document,
      long: params.long,
      reports: reports.map(({ file }) => file),
    }).catch((error: unknown) => [`${document} could not be checked: ${String(error)}`]);
    total.failed += broken.length;
    total.notes.push(...broken);
  }
  console.log('');
  for (const note of total.notes) console.log(note);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  let code = 130;
  const finished = new AbortController();
  const stopped = await untilStopped({
    log: console.log,
    finished: finished.signal,
    begin: async (signal, onBegun) => {
      code = await check({ long: process.argv.includes('--long'), signal, onRun: onBegun });
      finished.abort();
    },
  });
  return stopped === 'finished' ? code : 130;
}

try {
  process.exit(await main());
} catch (error) {
  console.error(inWords(error));
  console.log('0 passed, 1 failed');
  process.exit(1);
}
