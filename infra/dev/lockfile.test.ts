import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

interface Locked {
  optionalDependencies?: Record<string, string>;
  resolved?: string;
  link?: boolean;
}

// npm leaves packages of other platforms out of the lockfile without a word when it cannot reach them, and `npm ci`
// then refuses the lockfile on every machine.
test('the lockfile holds the packages of every platform, and no address of a registry', async () => {
  const file = resolve(import.meta.dirname, '../../package-lock.json');
  const { packages } = JSON.parse(await readFile(file, 'utf8')) as { packages: Record<string, Locked> };
  const missing = Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
    ),
  );
  expect(missing).toEqual([]);
  expect(
    Object.values(packages).filter((entry) => entry.resolved !== undefined && entry.link !== true),
  ).toEqual([]);
});
