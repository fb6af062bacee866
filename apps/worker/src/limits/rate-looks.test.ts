import { expect, test } from 'vitest';
import { createRateLooks } from './rate-looks.ts';

test('a look goes on where the last one ended, and begins with the oldest when something has changed', async () => {
  const from: (number | undefined)[] = [];
  const looks = createRateLooks({
    async look(_, at) {
      from.push(at);
      if (from.length === 3) looks.again('rate');
      const goOn = from.length === 2 ? {} : { goOn: from.length * 50 };
      return { jobs: 0, waiting: from.length < 5, dueAt: 0, ...goOn };
    },
    now: Date.now,
    onError: (error) => expect(error).toBeUndefined(),
  });
  looks.watch('rate');
  await expect.poll(() => looks.has('rate')).toBe(false);
  expect(from).toEqual([undefined, 50, undefined, undefined, 200]);
  await looks.stop();
});
