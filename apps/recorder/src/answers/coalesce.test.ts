import { expect, test } from 'vitest';
import { AskedTooLongAgoError, createCoalescer, TooManyQuestionsError } from './coalesce.ts';

test('what arrives together is answered in one pass, each with its own', async () => {
  const passes: number[][] = [];
  const { ask } = createCoalescer<number, string>({
    pass: async (questions) => {
      passes.push([...questions]);
      return questions.map(String);
    },
    maxPasses: 1,
    maxPerPass: 10,
    maxWaiting: 100,
    maxWaitMs: 1_000,
  });
  const answers = await Promise.all([ask([1, 2]), ask([3]), ask([4, 5, 6])]);
  expect(answers).toEqual([['1', '2'], ['3'], ['4', '5', '6']]);
  expect(passes).toEqual([[1, 2, 3, 4, 5, 6]]);
});

test('a pass is bounded, and one at a time', async () => {
  let underWay = 0;
  let most = 0;
  const sizes: number[] = [];
  const { ask } = createCoalescer<number, number>({
    pass: async (questions) => {
      underWay += 1;
      most = Math.max(most, underWay);
      sizes.push(questions.length);
      await new Promise(setImmediate);
      underWay -= 1;
      return questions;
    },
    maxPasses: 1,
    maxPerPass: 3,
    maxWaiting: 100,
    maxWaitMs: 1_000,
  });
  await Promise.all([ask([1, 2]), ask([3, 4]), ask([5, 6, 7, 8]), ask([9])]);
  expect(most).toBe(1);
  expect(sizes).toEqual([2, 2, 4, 1]);
});

test('a pass that fails fails its askers, and the next one goes on', async () => {
  let fail = true;
  const { ask } = createCoalescer<number, number>({
    pass: async (questions) => {
      if (fail) throw new Error('away');
      return questions;
    },
    maxPasses: 1,
    maxPerPass: 10,
    maxWaiting: 100,
    maxWaitMs: 1_000,
  });
  await expect(ask([1])).rejects.toThrow('away');
  fail = false;
  await expect(ask([2])).resolves.toEqual([2]);
});

test('more than may wait is refused at once', async () => {
  const { ask } = createCoalescer<number, number>({
    pass: async (all) => all,
    maxPasses: 1,
    maxPerPass: 2,
    maxWaiting: 3,
    maxWaitMs: 1_000,
  });
  const first = ask([1, 2]);
  await expect(ask([3, 4])).rejects.toThrow(TooManyQuestionsError);
  await expect(first).resolves.toEqual([1, 2]);
});

test('who waited too long for the pass before gets no answer', async () => {
  let now = 0;
  const { ask } = createCoalescer<number, number>({
    pass: async (questions) => {
      await new Promise(setImmediate);
      now += 1_001;
      return questions;
    },
    maxPasses: 1,
    maxPerPass: 1,
    maxWaiting: 100,
    maxWaitMs: 1_000,
    monotonic: () => now,
  });
  const [first, second] = await Promise.allSettled([ask([1]), ask([2])]);
  expect(first).toEqual({ status: 'fulfilled', value: [1] });
  expect(second).toMatchObject({ status: 'rejected', reason: expect.any(AskedTooLongAgoError) });
  await expect(ask([3])).resolves.toEqual([3]);
});

test('two passes may be under way at once, and no third', async () => {
  const begun: { questions: readonly number[]; end: () => void }[] = [];
  const pass = (questions: readonly number[]) =>
    new Promise<number[]>((resolve) => begun.push({ questions, end: () => resolve([...questions]) }));
  const bounds = { maxPasses: 2, maxPerPass: 10, maxWaiting: 100, maxWaitMs: 1_000 };
  const coalescer = createCoalescer({ pass, ...bounds });
  const answers = [coalescer.ask([1])];
  await expect.poll(() => begun).toHaveLength(1);
  answers.push(coalescer.ask([2]));
  await expect.poll(() => begun).toHaveLength(2);
  answers.push(coalescer.ask([3]), coalescer.ask([4]));
  begun[1]?.end();
  await expect.poll(() => begun).toHaveLength(3);
  expect(begun.map(({ questions }) => questions)).toEqual([[1], [2], [3, 4]]);
  for (const { end } of begun) end();
  expect(await Promise.all(answers)).toEqual([[1], [2], [3], [4]]);
});
