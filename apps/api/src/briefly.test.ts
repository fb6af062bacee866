import { expect, test } from 'vitest';
import { createBriefly } from './briefly.ts';

function remembering(params: { most?: number } = {}) {
  let now = 0;
  let looks = 0;
  const briefly = createBriefly<number>({
    freshMs: (value) => (value > 100 ? 1_000 : 10),
    most: params.most ?? 3,
    monotonic: () => now,
  });
  return {
    ask: (key: string, value = 0) => briefly(key, async () => value + ++looks),
    briefly,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('an answer is given for as long as it is fresh, which depends on it', async () => {
  const { ask, pass } = remembering();
  expect([await ask('a'), await ask('b', 100), await ask('a'), await ask('b')]).toEqual([1, 102, 1, 102]);
  pass(10);
  expect([await ask('a'), await ask('b')]).toEqual([3, 102]);
});

test('what is being looked up is looked up once', async () => {
  const { ask, pass } = remembering();
  const both = [ask('a'), ask('a')];
  pass(1_000);
  expect(await Promise.all([...both, ask('a')])).toEqual([1, 1, 1]);
});

test('a failed look is told to whoever waits, and not kept', async () => {
  const { ask, briefly } = remembering();
  const failing = async () => Promise.reject(new Error('away'));
  const both = [briefly('a', failing), briefly('a', failing)];
  for (const one of both) await expect(one).rejects.toThrow('away');
  expect(await ask('a')).toBe(1);
});

test('no more is remembered than so many: what is old goes first, then what came first', async () => {
  const { ask, pass } = remembering({ most: 2 });
  await ask('long', 100);
  await ask('short');
  pass(20);
  expect([await ask('c'), await ask('long')]).toEqual([3, 101]);
  expect([await ask('d'), await ask('c'), await ask('long')]).toEqual([4, 3, 5]);
});
