import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createKeyLooks } from './key-looks.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('where something else holds now all keys are looked at in one go, each until nothing more can go', async () => {
  const looked: string[] = [];
  const errors: unknown[] = [];
  const left = new Map([['many', 2]]);
  const looks = createKeyLooks({
    async look(hash, changed) {
      looked.push(`${hash} ${changed}`);
      if (hash === 'broken' && errors.length === 0) throw new Error('no answer');
      const more = left.get(hash) ?? 0;
      left.set(hash, more - 1);
      return more > 0;
    },
    onRound() {},
    onError: (error) => errors.push(error),
  });
  const keys = ['many', 'broken', ...Array.from({ length: 250 }, (_, index) => `k${index}`)];
  for (const hash of keys) looks.watch(hash);
  looks.changed();
  await vi.advanceTimersByTimeAsync(0);
  expect(looked.toSorted()).toEqual([...keys, 'many', 'many'].map((hash) => `${hash} true`).toSorted());
  // What could not be looked at is, a little later; the others need it no more.
  looked.length = 0;
  looks.begin();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(looked.filter((look) => look.endsWith('true'))).toEqual(['broken true']);
  expect(errors).toHaveLength(1);
  await looks.stop();
});
