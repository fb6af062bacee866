import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApp } from '../../../test/support/app-process.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'jetbeat-start-'));
  await writeFile(join(dir, 'broken.ts'), 'export const = 1;\n');
  await writeFile(join(dir, 'throws.ts'), "\nthrow new RangeError('no key for the shop');\n");
  await writeFile(join(dir, 'plain.ts'), 'export const plain = 1;\n');
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** The exit code 2 tells a supervisor that another start would end likewise. */
test.concurrent.each([
  ['broken.ts', /broken\.ts cannot be loaded: .*broken\.ts:1/s],
  [
    'throws.ts',
    /throws\.ts cannot be loaded: RangeError: no key for the shop \(.*throws\.ts:2:7\); mend it, or/,
  ],
  ['plain.ts', /plain\.ts exports no task: export what defineTask returns/],
  ['nowhere.ts', /nowhere\.ts is neither a file or folder/],
])(
  'JETBEAT_TASKS with %s: the worker ends with code 2 and names it',
  async (file, words) => {
    const worker = startApp({ name: 'worker', healthPort: 0, env: { JETBEAT_TASKS: join(dir, file) } });
    expect(await worker.exited).toBe(2);
    const fatal = worker
      .output()
      .split('\n')
      .filter((line) => line.includes('"level":"fatal"'));
    expect(fatal).toHaveLength(1);
    const { msg } = JSON.parse(fatal[0] ?? '') as { msg: string };
    expect(msg).toMatch(/^cannot start: JETBEAT_TASKS: /);
    expect(msg).toMatch(words);
  },
  30_000,
);
