import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
let tree: string;

beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), 'jetbeat-structure-'));
  await cp(join(root, '.dependency-cruiser.mjs'), join(tree, '.dependency-cruiser.mjs'));
});
afterEach(() => rm(tree, { recursive: true, force: true }));

async function cruise(files: Record<string, string>): Promise<{ modules: number; broken: string[] }> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  }
  const args = [
    cruiser,
    '--config',
    join(tree, '.dependency-cruiser.mjs'),
    '--output-type',
    'json',
    'libs',
    'apps',
  ];
  await mkdir(join(tree, 'apps'), { recursive: true });
  const run = await promisify(execFile)(process.execPath, args, {
    cwd: tree,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: { stdout: string }) => error);
  const { modules, summary } = JSON.parse(run.stdout) as {
    modules: unknown[];
    summary: { violations: { rule: { name: string } }[] };
  };
  return { modules: modules.length, broken: summary.violations.map((violation) => violation.rule.name) };
}

test('an import along the arrows is allowed', async () => {
  const { modules, broken } = await cruise({
    'libs/core/src/index.ts': 'export const noun = 1;\n',
    'libs/jetstream/src/index.ts': "export { noun } from '../../core/src/index.ts';\n",
  });
  expect(modules).toBe(2);
  expect(broken).toEqual([]);
});

test('an import against the arrows, even of a type, is found', async () => {
  const { broken } = await cruise({
    'libs/core/src/index.ts':
      "import type { Noun } from '../../postgres/src/index.ts';\nexport type Core = Noun;\n",
    'libs/postgres/src/index.ts': 'export type Noun = string;\n',
  });
  expect(broken).toEqual(['direction: libs/core']);
});

test('a way past the door of a package is found', async () => {
  const { broken } = await cruise({
    'libs/core/src/inside.ts': 'export const inside = 1;\n',
    'libs/core/src/index.ts': "export { inside } from './inside.ts';\n",
    'apps/worker/src/index.ts': "export { inside } from '../../../libs/core/src/inside.ts';\n",
  });
  expect(broken).toEqual(['only through the door']);
});

test('the schemas of the API are loaded by the API alone; others may name their types', async () => {
  const door = '../../core/src/http/index.ts';
  const { broken } = await cruise({
    'libs/core/src/http/index.ts': 'export const schema = 1;\nexport type Schema = number;\n',
    'libs/task/src/index.ts': `import type { Schema } from '${door}';\nexport type Asked = Schema;\n`,
    'apps/api/src/index.ts': "export { schema } from '../../../libs/core/src/http/index.ts';\n",
    'libs/client/src/index.ts': `export { schema } from '${door}';\n`,
  });
  expect(broken).toEqual(['the schemas are for the API']);
});

test('a clock or a socket inside core is found', async () => {
  const { broken } = await cruise({ 'libs/core/src/index.ts': "export { connect } from 'node:net';\n" });
  expect(broken).toEqual(['core is pure']);
});
