import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installed } from './installed.ts';

test('an installation is made once, and anew when it was cut off or other things are wanted', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'jetbeat-'));
  const dir = join(parent, 'made');
  let made = 0;
  const install = (stamp: string, broken = false) =>
    installed({
      dir,
      stamp,
      async make() {
        await writeFile(join(dir, `file-${++made}`), '');
        if (broken) throw new Error('no network');
      },
    });
  try {
    await expect(install('a', true)).rejects.toThrow('no network');
    await install('a');
    await install('a');
    expect(made).toBe(2);
    await install('b');
    expect((await readdir(dir)).sort()).toEqual(['.stamp', 'file-3']);
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
});
