import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { proofsIn, unproven } from './proofs.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'jetbeat-proofs-'));
});
afterEach(() => rm(root, { recursive: true }));

async function check(text: string, long = false): Promise<string[]> {
  const results = [
    { title: 'it runs', fullName: 'it runs', status: 'passed' },
    { title: 'a | b', fullName: 'group a | b', status: 'passed' },
    { title: 'it fails', fullName: 'it fails', status: 'failed' },
  ];
  await writeFile(join(root, 'table.md'), text);
  const write = async (name: string, file: string, assertionResults: object[]) => {
    const testResults = [{ name: join(root, file), assertionResults }];
    await writeFile(join(root, name), JSON.stringify({ testResults }));
    return join(root, name);
  };
  const covered = [{ title: 'it is covered', fullName: 'it is covered', status: 'passed' }];
  const reports = await Promise.all([
    write('report.json', 'test/flow/a.test.ts', results),
    write('covered.json', 'libs/core/src/b.test.ts', covered),
  ]);
  return unproven({ root, document: 'table.md', reports, long });
}

test('names of tests are found in a table', () => {
  expect(proofsIn('| x | `test/flow/a.test.ts > it runs` | `libs/core/src/b.test.ts > a \\| b` |')).toEqual([
    { file: 'test/flow/a.test.ts', title: 'it runs' },
    { file: 'libs/core/src/b.test.ts', title: 'a | b' },
  ]);
});

test('a test that passed proves', async () => {
  expect(await check('`test/flow/a.test.ts > it runs`, `test/flow/a.test.ts > group a \\| b`')).toEqual([]);
});

test('a test of any of the reports proves', async () => {
  const named = ['test/flow/a.test.ts > it runs', 'libs/core/src/b.test.ts > it is covered'];
  expect(await check(named.map((name) => `\`${name}\``).join(' '))).toEqual([]);
});

test('a test that failed, was renamed or is elsewhere proves nothing', async () => {
  const named = ['it fails', 'it ran'].map((title) => `\`test/flow/a.test.ts > ${title}\``);
  expect(await check(`${named.join(' ')} \`test/flow/b.test.ts > it runs\``)).toEqual([
    'table.md names a test that did not pass: test/flow/a.test.ts > it fails',
    'table.md names a test that did not pass: test/flow/a.test.ts > it ran',
    'table.md names a test that did not pass: test/flow/b.test.ts > it runs',
  ]);
});

test('long tests are asked for in their own run', async () => {
  const text = '`test/flow/a.test.ts > it runs` `test/long/c.test.ts > for long`';
  expect(await check(text)).toEqual([]);
  expect(await check(text, true)).toEqual([
    'table.md names a test that did not pass: test/long/c.test.ts > for long',
  ]);
});

test('a document without a name cannot be checked', async () => {
  expect(await check('nothing')).toEqual(['table.md names no test: it cannot be checked']);
});
