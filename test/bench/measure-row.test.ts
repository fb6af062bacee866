import { expect, test } from 'vitest';
import { checkCounts } from './measure-row.ts';

test('a count that is not what was asked for fails the row, with its name', () => {
  const right = { what: 'JOBS messages', wanted: 0, found: 0 };
  const wrong = { what: 'count(*) of attempt', wanted: 10, found: 9 };
  expect(() => checkCounts('drain', [right])).not.toThrow();
  expect(() => checkCounts('drain', [right, wrong])).toThrow(
    'drain: the servers’ counts are not what was asked for: count(*) of attempt is 9, not 10',
  );
});

test('a row that asked no server fails', () => {
  expect(() => checkCounts('drain', [])).toThrow('no server');
});
