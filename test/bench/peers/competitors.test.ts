import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { competitors } from './competitors.ts';

interface Locked {
  version?: string;
  optionalDependencies?: Record<string, string>;
  resolved?: string;
}

const read = (name: string) => readFile(join(import.meta.dirname, name), 'utf8');

test('every peer says its settings, and every row is checked on the server', () => {
  expect(competitors.map(({ peer, variant }) => `${peer} (${variant})`)).toEqual([
    'BullMQ (no persistence)',
    'BullMQ (appendfsync always)',
    'graphile-worker (batched)',
    'pg-boss (batched)',
    'Celery (Redis, no persistence)',
  ]);
  for (const { settings, rows, checks } of competitors) {
    expect(settings.length).toBeGreaterThan(100);
    for (const row of ['bulk', 'drain', 'latency'] as const) {
      expect(rows[row].jobs).toBeGreaterThan(1000);
      const wanted = checks(row, { warmup: 7, jobs: 11 }).map((check) => check.wanted);
      // The jobs are counted where they are left, and nothing else may be left.
      expect(wanted.length).toBeGreaterThan(1);
      if (row === 'bulk') expect(wanted).toContain(11);
    }
  }
});

test('the packages are of one exact version, for every platform, and name no registry', async () => {
  const { dependencies } = JSON.parse(await read('package.json')) as { dependencies: Record<string, string> };
  const { packages } = JSON.parse(await read('package-lock.json')) as { packages: Record<string, Locked> };
  for (const [name, version] of Object.entries(dependencies)) {
    expect(packages[`node_modules/${name}`]?.version).toBe(version);
  }
  const missing = Object.values(packages)
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => !(`node_modules/${name}` in packages));
  expect(missing).toEqual([]);
  expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  const requirements = (await read('requirements.txt')).trim().split('\n');
  expect(requirements.filter((line) => !/^[\w.-]+==[\w.]+$/.test(line))).toEqual([]);
  const known = [...Object.keys(packages), ...requirements.map((line) => line.split('==')[0])];
  for (const name of competitors.flatMap((competitor) => competitor.packages)) {
    expect(known.some((entry) => entry === name || entry === `node_modules/${name}`)).toBe(true);
  }
});
