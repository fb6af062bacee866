import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RowResult } from './result.ts';

const run = promisify(execFile);
let out: string;

beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), 'jetbeat-bench-test-'));
});
afterEach(() => rm(out, { recursive: true, force: true }));

test('npm run bench measures a row on fresh servers and leaves its JSON', async () => {
  const { stdout } = await bench('--quick', '--rows', 'enqueue-500,whole-way', '--out', out);
  expect((await readdir(out)).sort()).toEqual(['enqueue-500.json', 'whole-way.json']);
  expect(stdout).toContain('| `whole-way`');

  const enqueue = await read('enqueue-500');
  expect(enqueue.machine.cores).toBeGreaterThan(0);
  expect(enqueue.runs[0]?.processes.map(({ name }) => name).sort()).toEqual([
    'load',
    'nats-server',
    'postgres',
  ]);

  const whole = await read('whole-way');
  expect(whole).toMatchObject({ row: 'whole-way', quick: true, machine: { nats: expect.any(String) } });
  const [result] = whole.runs;
  expect(whole.runs.length).toBe(1);
  expect(whole.measures).toMatchObject([{ name: 'rate', unit: 'jobs/s', median: result?.figures['rate'] }]);
  expect(result?.counts).toContainEqual({ what: 'count(*) of attempt', wanted: 2_400, found: 2_400 });
  expect(result?.counts).toContainEqual({ what: 'JOBS last sequence', wanted: 2_400, found: 2_400 });
  expect(result?.counts.filter(({ wanted, found }) => wanted !== found)).toEqual([]);
  const names = ['load', 'nats-server', 'postgres', 'recorder', 'worker'];
  expect(result?.processes.map(({ name }) => name).sort()).toEqual(names);
  for (const each of result?.processes ?? []) expect(each.peakBytes).toBeGreaterThan(1024 ** 2);
}, 100_000);

test('a row that is not known ends the command', async () => {
  await expect(bench('--rows', 'drian')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no row drian'),
  });
});

async function read(row: string): Promise<RowResult> {
  return JSON.parse(await readFile(join(out, `${row}.json`), 'utf8')) as RowResult;
}

/** As the command of package.json runs it, once the set-up is done. */
function bench(...args: string[]): Promise<{ stdout: string }> {
  const root = resolve(import.meta.dirname, '../..');
  return run(process.execPath, ['infra/dev/bootstrap.mjs', 'bench', ...args], { cwd: root, timeout: 95_000 });
}
