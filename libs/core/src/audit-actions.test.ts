import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { AUDIT_ACTIONS, AUDIT_TARGETS } from './audit-actions.ts';

test('the documentation names every action and every target, and no other', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../../docs/audit.md'), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| `[a-z-]+\./.test(line));
  const cells = rows.map((row) =>
    row
      .split('|')
      .slice(1, 3)
      .map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)),
  );
  // `.change` stands for the noun of the one before it.
  const actions = cells.flatMap(([names = []]) => {
    const noun = names[0]?.split('.')[0] ?? '';
    return names.map((name) => (name.startsWith('.') ? noun + name : name));
  });
  expect(actions.sort()).toEqual([...AUDIT_ACTIONS].sort());
  expect([...new Set(cells.flatMap(([, targets = []]) => targets))].sort()).toEqual(
    [...AUDIT_TARGETS].sort(),
  );
});
