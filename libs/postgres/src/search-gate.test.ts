import { expect, test } from 'vitest';
import { createSearchGate } from './search-gate.ts';

const refused = { code: 'too_many_searches' };

test('so many at once, then one after the other in their order; more than may wait are refused', async () => {
  const gate = createSearchGate({ atOnce: 2, mostWaiting: 2, waitMs: 60_000 });
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  const runs = ends.map(({ promise }, n) =>
    gate(async () => {
      begun.push(n);
      await promise;
    }),
  );
  await expect(runs[4]).rejects.toMatchObject(refused);
  expect(begun).toEqual([0, 1]);
  ends[1]?.reject(new Error('broken'));
  await expect(runs[1]).rejects.toThrow('broken');
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  for (const { resolve } of ends) resolve();
  await Promise.all([runs[0], runs[2], runs[3]]);
  expect(begun).toEqual([0, 1, 2, 3]);
  expect(await gate(async () => 'free')).toBe('free');
});

test('who has waited for too long is refused, and takes nobody’s place', async () => {
  const gate = createSearchGate({ atOnce: 1, waitMs: 1 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = gate(() => promise);
  await expect(gate(async () => 1)).rejects.toMatchObject(refused);
  resolve();
  await first;
  expect(await gate(async () => 2)).toBe(2);
});

test('what is short goes before what waits and is not, but for one of three', async () => {
  const gate = createSearchGate({ atOnce: 1, waitMs: 60_000 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const begun: string[] = [];
  const run = (name: string, isShort: boolean) =>
    gate(
      async () => {
        begun.push(name);
        await promise;
      },
      { isShort },
    );
  const asked = ['first', 'long 1', 'long 2', 'short 1', 'short 2', 'short 3'];
  const runs = asked.map((name) => run(name, name.startsWith('short')));
  resolve();
  await Promise.all(runs);
  expect(begun).toEqual(['first', 'short 1', 'short 2', 'long 1', 'short 3', 'long 2']);
  expect(await gate(async () => 'free')).toBe('free');
});
