import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Sees to it that `dir` holds what `make` puts there; a stamp that is written at the end tells a whole installation of
 * the same things from any other, which is removed and made anew.
 * @throws what `make` throws
 */
export async function installed(params: {
  dir: string;
  stamp: string;
  make: (dir: string) => Promise<void>;
}): Promise<void> {
  const { dir, stamp, make } = params;
  const file = join(dir, '.stamp');
  if ((await readFile(file, 'utf8').catch(() => undefined)) === stamp) return;
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  await make(dir);
  await writeFile(file, stamp);
}
