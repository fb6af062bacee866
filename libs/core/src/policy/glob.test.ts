import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isGlob, matchesGlob } from './glob.ts';

test.each([
  ['media.sync', 'media.sync', true],
  ['media.sync', 'media.sync_all', false],
  ['media.*', 'media.sync', true],
  ['media.*', 'media.library.sync', true],
  ['media.*', 'media', false],
  ['media.*', 'multimedia.sync', false],
  ['*', 'anything.at.all', true],
  ['*.sync', 'media.sync', true],
  ['*.sync', 'media.sync.later', false],
  ['*sync', 'sync', true],
  ['a*b*c', 'a.b.b.c', true],
  ['a*b*c', 'a.b.b.d', false],
  ['a**', 'a', true],
  ['celery_monitor_*', 'celery_monitor_all_configs', true],
])('%s fits %s: %s', (glob, name, fits) => {
  expect(matchesGlob(glob, name)).toBe(fits);
});

test('it fits exactly what the same regular expression fits', () => {
  const letters = (...of: string[]) => fc.string({ unit: fc.constantFrom(...of), maxLength: 9 });
  fc.assert(
    fc.property(letters('a', 'b', '.', '*'), letters('a', 'b', '.'), (glob, name) => {
      const same = new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
      expect(matchesGlob(glob, name)).toBe(same.test(name));
    }),
  );
});

test('a hostile pattern costs little', () => {
  const begun = process.threadCpuUsage();
  expect(matchesGlob('*a'.repeat(64), `${'a'.repeat(127)}b`)).toBe(false);
  const { user, system } = process.threadCpuUsage(begun);
  expect((user + system) / 1_000).toBeLessThan(1_000);
});

test.each(['media.*', '*', 'a', 'a-b_c.D1', '*.x.*'])('%s may be a pattern', (text) => {
  expect(isGlob(text)).toBe(true);
});

test.each(['', 'a b', 'media.', '.a', 'a..b', 'a/b', 'a?', 'x'.repeat(129)])('%j may not', (text) => {
  expect(isGlob(text)).toBe(false);
});
