import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defineTask } from './define-task.ts';
import { loadTasks } from './load-tasks.ts';

const taskModule = (...names: string[]) =>
  [
    `import { defineTask } from '@jetbeat/task';`,
    ...names.map(
      (name, index) => `export const task${index} = defineTask({ name: '${name}', run: () => '${name}' });`,
    ),
  ].join('\n');

let base: string;

const FILES: Record<string, string> = {
  'package.json': '{ "type": "module" }',
  'one.ts': `${taskModule('one.a', 'one.b')}\nexport const list = [task0];\nexport default task1;\nexport const other: number = 1;`,
  'tasks/a.js': taskModule('a'),
  'tasks/deep/b.mjs': taskModule('b'),
  'tasks/index.js': `export { task0 } from './a.js';`,
  'tasks/plain.js': 'export const plain = 1;',
  'tasks/a.test.js': `throw new Error('a test is no task module');`,
  'tasks/a.d.ts': 'export {};',
  'tasks/.hidden/c.js': `throw new Error('hidden');`,
  'tasks/node_modules/c/c.js': `throw new Error('a dependency');`,
  'empty/plain.js': 'export const plain = 1;',
  'double/a.js': taskModule('same'),
  'double/b.js': taskModule('same'),
  'broken.js': 'export const = 1;',
  'throws.js': `import { defineTask } from '@jetbeat/task';\n\nthrow new RangeError('no key for the shop');`,
  'misses.js': `import './not-there.js';`,
  'node_modules/pack-tasks/package.json':
    '{ "type": "module", "exports": { ".": { "types": "./x.d.ts", "import": "./m.js" } } }',
  'node_modules/pack-tasks/m.js': taskModule('pack'),
  'node_modules/@own/plain/package.json': '{ "type": "module", "exports": "./m.js" }',
  'node_modules/@own/plain/m.js': taskModule('own'),
};

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'jetbeat-tasks-'));
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(base, path)), { recursive: true });
    await writeFile(join(base, path), text);
  }
  await mkdir(join(base, 'node_modules/@jetbeat'), { recursive: true });
  await symlink(join(import.meta.dirname, '..'), join(base, 'node_modules/@jetbeat/task'));
});
afterAll(() => rm(base, { recursive: true, force: true }));

const load = async (...paths: string[]) => [...(await loadTasks({ paths, base })).keys()];

test('modules, folders and packages are loaded, each task once', async () => {
  expect(await load('one.ts')).toEqual(['one.a', 'one.b']);
  expect(await load('./tasks')).toEqual(['a', 'b']);
  expect(await load('pack-tasks', '@own/plain', 'tasks/a.js')).toEqual(['pack', 'own', 'a']);
  expect(await load()).toEqual([]);
});

test('built-in tasks come first, and their names are taken', async () => {
  const own = defineTask({ name: 'own.echo', run: () => {} });
  const tasks = await loadTasks({ paths: ['tasks'], base, builtIns: [own] });
  expect([...tasks.keys()]).toEqual(['own.echo', 'a', 'b']);
  const clash = defineTask({ name: 'a', run: () => {} });
  await expect(loadTasks({ paths: ['tasks'], base, builtIns: [clash] })).rejects.toThrow(
    `the task a is defined twice, by Jetbeat itself and by ${join(base, 'tasks/a.js')}`,
  );
});

test.each([
  ['double', /the task same is defined twice, by .*double\/a\.js and by .*double\/b\.js/],
  ['empty', /empty exports no task/],
  ['broken.js', /broken\.js cannot be loaded: .*broken\.js:1.*; mend it, or/s],
  [
    'throws.js',
    /throws\.js cannot be loaded: RangeError: no key for the shop \(.*throws\.js:3:7\); mend it, or/,
  ],
  ['misses.js', /misses\.js cannot be loaded: Error: Cannot find module .*not-there\.js.*; mend it, or/],
  ['./nowhere', /nowhere is neither a file or folder/],
  ['./nowhere ./there', /several paths are separated by commas$/],
  ['no-such-package', /no-such-package is neither a file or folder .* nor a package/],
])('%s: a clear error', async (path, message) => {
  await expect(load(path)).rejects.toThrow(message);
  await expect(load(path)).rejects.toMatchObject({ code: 'task_load' });
});
