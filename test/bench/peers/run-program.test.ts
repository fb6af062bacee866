import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Competitor, PeerRow } from './competitor.ts';
import { graphileWorker } from './graphile-worker.ts';
import { runProgram } from './run-program.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Runs a script in place of a peer's program, on a server that counts as it is told. */
function runScript(params: { script: string; row: PeerRow; counted: number }) {
  const { script, row, counted } = params;
  const competitor: Competitor = {
    ...graphileWorker,
    program: [],
    checks: () => [{ ask: 'how many', wanted: 10 }],
  };
  return runProgram({
    competitor,
    row,
    dir,
    size: { warmup: 2, jobs: 10 },
    settings: { concurrency: 24 },
    server: { url: 'none', version: '1', count: async () => counted, stop: async () => {} },
    installation: { command: process.execPath, args: ['-e', script], env: {}, versionOf: () => '1' },
    signal: new AbortController().signal,
  });
}

test('what the program prints is its figures; it is told the row, the size and the settings', async () => {
  const script = `
    const [row, order] = process.argv.slice(1);
    const { url, jobs, settings } = JSON.parse(order);
    if (row !== 'drain' || url !== 'none' || settings.concurrency !== 24) throw new Error('told otherwise');
    console.log('a line of something else');
    console.log(JSON.stringify({ seconds: 0.5, started: jobs }));`;
  expect(await runScript({ script, row: 'drain', counted: 10 })).toEqual({ seconds: 0.5, started: 10 });
});

test('a count that is wrong on the server, or in the program, is no figure', async () => {
  const script = 'console.log(JSON.stringify({ seconds: 1, started: 9 }))';
  await expect(runScript({ script, row: 'drain', counted: 11 })).rejects.toThrow(
    'wrong counts: 9 of 10 started; how many: 11 instead of 10',
  );
});

test('a program that fails says why', async () => {
  const script = `console.error('no such queue'); process.exit(3)`;
  await expect(runScript({ script, row: 'bulk', counted: 10 })).rejects.toThrow(
    'the program ended with code 3: no such queue',
  );
});
