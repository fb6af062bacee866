import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { between } from './document.ts';

test('what stands between two marks is replaced, and nothing else', () => {
  const text = 'before\n<!-- rows -->\nold\n<!-- end of rows -->\nafter\n';
  const once = between(text, 'rows', '| new |');
  expect(once).toBe('before\n<!-- rows -->\n\n| new |\n\n<!-- end of rows -->\nafter\n');
  expect(between(once, 'rows', '| new |')).toBe(once);
});

test('a document without the marks is refused', () => {
  expect(() => between('text', 'rows', '')).toThrow('<!-- rows -->');
  expect(() => between('<!-- rows --> text', 'rows', '')).toThrow('<!-- end of rows -->');
});

test('docs/performance.md has every mark', async () => {
  const text = await readFile(resolve(import.meta.dirname, '../../docs/performance.md'), 'utf8');
  const filled = ['machine', 'rows', 'processes', 'peers'].map((name) => between(text, name, 'table'));
  expect(filled.map((each) => each.includes('\ntable\n'))).toEqual([true, true, true, true]);
});
