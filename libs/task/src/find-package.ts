import { readFile } from 'node:fs/promises';
import { createRequire, findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The file that a bare import of `name` means for code in `base`; `undefined` where no such package is installed. */
export async function findPackage(name: string, base: string): Promise<string | undefined> {
  const from = join(base, 'package.json');
  try {
    return createRequire(from).resolve(name);
  } catch {
    // A package for `import` only cannot be resolved that way; its manifest can still be found.
    return importTarget(name, from);
  }
}

async function importTarget(name: string, from: string): Promise<string | undefined> {
  try {
    const manifest = findPackageJSON(name, pathToFileURL(from).href);
    if (manifest === undefined) return undefined;
    const { exports } = JSON.parse(await readFile(manifest, 'utf8')) as { exports?: unknown };
    const entry = typeof exports === 'object' && exports !== null && '.' in exports ? exports['.'] : exports;
    const target = pick(entry);
    return target === undefined ? undefined : join(dirname(manifest), target);
  } catch {
    return undefined;
  }
}

/** The conditions that hold for an `import` in Node, in the order in which the package lists them. */
function pick(entry: unknown): string | undefined {
  if (typeof entry === 'string') return entry;
  if (typeof entry !== 'object' || entry === null) return undefined;
  for (const [condition, target] of Object.entries(entry)) {
    if (!['node', 'import', 'module-sync', 'default'].includes(condition)) continue;
    const found = pick(target);
    if (found !== undefined) return found;
  }
  return undefined;
}
