import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { copyTree } from './copy-tree.ts';
import { applyMutant, type Mutant } from './mutant.ts';
import { mutants } from './mutants.ts';
import { runTests, type TestsResult } from './run-tests.ts';

const root = resolve(import.meta.dirname, '../..');
/** The tests of one mutant, and those of all without any mutant, milliseconds. */
const TIMEOUT_MS = 240_000;
const SOUND_TIMEOUT_MS = 900_000;

const USAGE = `Breaks the core rules one by one, in a copy, and looks whether the tests notice.

  npm run test:mutants                      all of them
  npm run test:mutants -- --only a,b        some
  npm run test:mutants -- --list            what there is`;

/** Runs them one after the other. Returns the exit code: 1 when one survives. */
async function main(signal: AbortSignal): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, list: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.list) {
    for (const { name, breaks } of mutants) console.log(`${name}: ${breaks}`);
    return 0;
  }
  const chosen = choose(values.only);
  const tree = await copyTree(root);
  try {
    await mustPass(tree.dir, chosen, signal);
    let survived = 0;
    for (const mutant of chosen) {
      if (signal.aborted) return 130;
      const result = await tryMutant(tree.dir, mutant, signal);
      if (result.outcome !== 'failed') survived++;
      console.log(line(mutant, result));
    }
    console.log(`\n${chosen.length - survived} of ${chosen.length} found`);
    return survived === 0 ? 0 : 1;
  } finally {
    await tree.remove();
  }
}

function choose(only: string | undefined): readonly Mutant[] {
  const names = only?.split(',');
  const unknown = names?.find((name) => !mutants.some((mutant) => mutant.name === name));
  if (unknown !== undefined) throw new Error(`there is no mutant ${unknown}; --list shows all`);
  return mutants.filter(({ name }) => names?.includes(name) ?? true);
}

/** A test that fails anyway finds nothing. */
async function mustPass(dir: string, chosen: readonly Mutant[], signal: AbortSignal): Promise<void> {
  const files = [...new Set(chosen.flatMap(({ tests }) => tests))];
  console.log(`without a mutant: ${files.length} test files …`);
  const { outcome, failed, output, seconds } = await runTests({
    dir,
    files,
    signal,
    timeoutMs: SOUND_TIMEOUT_MS,
  });
  if (outcome !== 'passed')
    throw new Error(`the tests do not pass without a mutant: ${failed.join('; ')}\n${output}`);
  console.log(`… they pass, ${seconds.toFixed(0)} s\n`);
}

async function tryMutant(dir: string, mutant: Mutant, signal: AbortSignal): Promise<TestsResult> {
  const file = join(dir, mutant.file);
  const text = await readFile(file, 'utf8');
  await writeFile(file, applyMutant(mutant, text));
  try {
    const { tests: files, only } = mutant;
    return await runTests({ dir, files, only, signal, timeoutMs: TIMEOUT_MS });
  } finally {
    await writeFile(file, text);
  }
}

function line({ name, breaks }: Mutant, { outcome, failed, seconds, output }: TestsResult): string {
  const what = `${name} (${breaks}), ${seconds.toFixed(0)} s`;
  if (outcome === 'failed') {
    const more = failed.length > 1 ? ` and ${failed.length - 1} more` : '';
    return `found     ${what}\n            by: ${failed[0]}${more}`;
  }
  if (outcome === 'passed') return `SURVIVED  ${what}`;
  return `UNCLEAR   ${what}: no test failed, and the run did not end well:\n${output.slice(-2_000)}`;
}

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopping.abort());
// The process that started this one is gone.
process.once('disconnect', () => stopping.abort());
process.channel?.unref();
try {
  process.exitCode = await main(stopping.signal);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
