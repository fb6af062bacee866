import { expect, test } from 'vitest';
import { parseOptions } from './options.ts';

const known = ['drain', 'whole-way'];

test('without arguments every row runs five times', () => {
  expect(parseOptions([], known)).toEqual({
    runs: 5,
    concurrency: 500,
    quick: false,
    peers: false,
    write: false,
  });
});

test('rows are named, and a quick run is one run', () => {
  const args = ['--rows', 'drain,whole-way', '--runs', '3', '--quick', '--write'];
  expect(parseOptions(args, known)).toMatchObject({ rows: known, runs: 1, quick: true, write: true });
  expect(parseOptions(['--rows', 'none'], known)).toMatchObject({ rows: [] });
  expect(parseOptions(['--help'], known)).toBe('help');
});

test('rows that go by the clock may be cut short', () => {
  expect(parseOptions(['--seconds', '20'], known)).toMatchObject({ seconds: 20 });
  expect(() => parseOptions(['--seconds', 'x'], known)).toThrow('--seconds');
});

test('what is not known is refused', () => {
  expect(() => parseOptions(['--rows', 'drian'], known)).toThrow('there is no row drian');
  expect(() => parseOptions(['--runs', '0'], known)).toThrow('--runs');
  expect(() => parseOptions(['--rnus', '1'], known)).toThrow('--rnus');
});
