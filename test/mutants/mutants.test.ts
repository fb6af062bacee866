import { access, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { applyMutant } from './mutant.ts';
import { mutants } from './mutants.ts';

const root = resolve(import.meta.dirname, '../..');

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
  '%s fits the code, and its tests are there',
  async (_, mutant) => {
    const text = await readFile(join(root, mutant.file), 'utf8');
    expect(applyMutant(mutant, text)).not.toBe(text);
    for (const file of mutant.tests) await access(join(root, file));
  },
);

test('each has a name of its own', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});

test('a mutant that does not fit the code any more is refused', () => {
  const mutant = { name: 'm', breaks: 'nothing', file: 'f.ts', search: 'a', replace: 'b', tests: [] };
  expect(applyMutant(mutant, 'an end')).toBe('bn end');
  expect(() => applyMutant(mutant, 'none')).toThrow('stands 0 times in f.ts');
  expect(() => applyMutant(mutant, 'a a')).toThrow('stands 2 times');
  expect(() => applyMutant({ ...mutant, replace: 'a' }, 'a')).toThrow('changes nothing');
});
