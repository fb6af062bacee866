import { expect, test } from 'vitest';
import { createRecheck } from './recheck.ts';

function bench() {
  const calls: string[] = [];
  const told = (name: string) => async () => void calls.push(name);
  const recheck = createRecheck({
    marks: {
      load: async () => {},
      upTo: () => 0,
      restartedFor: () => 0,
      distrusting: false,
      suspectAll: () => void calls.push('suspectAll'),
      distrust: told('distrust'),
    },
    topology: told('topology'),
    onForgotten: () => void calls.push('forgotten'),
    signal: new AbortController().signal,
    onRetry: () => {},
  });
  const see = (consumerSeq: number, lane: 'high' | 'high-front' = 'high') =>
    recheck.see({ queue: 'q', lane, consumerSeq });
  return { recheck, calls, see };
}

test('a consumer that counts on is trusted, each lane by itself; one that counts lower is not', async () => {
  const { calls, see } = bench();
  for (const seq of [4, 5, 9]) see(seq);
  see(1, 'high-front');
  expect(calls).toEqual([]);
  see(2);
  await expect.poll(() => calls).toEqual(['forgotten', 'suspectAll', 'topology', 'distrust']);
  see(3);
  expect(calls).toHaveLength(4);
});

test('asked again while it is under way, it goes round once more, and all stays suspect until then', async () => {
  const { recheck, calls } = bench();
  recheck.again();
  recheck.again();
  await expect.poll(() => calls.filter((call) => call === 'distrust')).toHaveLength(2);
  expect(calls).toEqual([
    ...['forgotten', 'suspectAll', 'topology', 'forgotten', 'suspectAll'],
    ...['distrust', 'suspectAll', 'topology', 'distrust'],
  ]);
});
