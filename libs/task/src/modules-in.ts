import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const MODULE = /\.[cm]?[jt]s$/;
const NO_MODULE = /(\.d\.[cm]?ts|\.(test|spec)\.[cm]?[jt]s)$/;

/** Every module in a folder and the folders below it, in the order of their names; not tests, declarations, `node_modules` or what begins with a dot. */
export async function modulesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await modulesIn(path)));
    else if (MODULE.test(entry.name) && !NO_MODULE.test(entry.name)) files.push(path);
  }
  return files;
}
