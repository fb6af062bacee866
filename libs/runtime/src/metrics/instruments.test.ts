import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { INSTRUMENTS } from './instruments.ts';

const UNIT_ENDS: Readonly<Record<string, RegExp>> = { s: /_seconds(_total)?$/, By: /_bytes(_total)?$/ };

test('names follow the conventions: a prefix, the base unit, _total for counters and nothing else', () => {
  for (const [name, { kind, unit, labels, help }] of Object.entries(INSTRUMENTS)) {
    expect(name).toMatch(/^(jetbeat|process|nodejs)(_[a-z0-9]+)+$/);
    expect(name.endsWith('_total'), name).toBe(kind === 'counter');
    const end = UNIT_ENDS[unit];
    if (end) expect(name).toMatch(end);
    else expect(name).not.toMatch(/_(seconds|bytes)(_total)?$/);
    if (kind === 'histogram') expect(unit, name).toBe('s');
    for (const label of labels) expect(label).toMatch(/^[a-z]+$/);
    expect(help, name).toMatch(/^[A-Z0-9].*\.$/s);
    expect(help).not.toContain('|');
  }
});

/** What `docs/metrics.md` says of an instrument. */
const rowOf = ([name, { kind, labels, help }]: [string, (typeof INSTRUMENTS)[keyof typeof INSTRUMENTS]]) =>
  `| \`${name}\` | ${kind} | ${labels.map((label) => `\`${label}\` `).join('')}| ${help} |`;

test('docs/metrics.md names every instrument, as the table has it, and no other', () => {
  const docs = readFileSync(join(import.meta.dirname, '../../../../docs/metrics.md'), 'utf8');
  const lines = docs.split('\n').map((line) => line.replaceAll(/ +/g, ' '));
  const documented = lines.filter((line) => /^\| `[a-z0-9_]+` \|/.test(line));
  expect(documented).toEqual(Object.entries(INSTRUMENTS).map(rowOf));
});
