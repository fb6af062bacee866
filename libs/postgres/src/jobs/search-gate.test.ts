import { expect, test } from 'vitest';
import { askingFor } from './asking-for.ts';
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

test('of those who wait the one goes next of whose holder the fewest run, and one holder has no more than a share of those who may wait', async () => {
  const gate = createSearchGate({ atOnce: 2, mostWaiting: 6, mostOfOne: 3, waitMs: 60_000 });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (name: string) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.set(name, resolve);
    return askingFor(name.slice(0, 1), () =>
      gate(async () => {
        begun.push(name);
        await promise;
      }),
    );
  };
  const runs = ['a1', 'a2', 'a3', 'a4', 'a5'].map(run);
  await expect(run('a6')).rejects.toMatchObject(refused);
  runs.push(run('b1'), run('b2'), run('c1'));
  // All who may wait do: the last one of whom the most wait goes for one of whom fewer do, but for none who would have as many.
  const last = runs.splice(3, 2).map((one) => expect(one).rejects.toMatchObject(refused));
  runs.push(run('d1'), run('e1'));
  await Promise.all(last);
  await expect(run('e2')).rejects.toMatchObject(refused);
  const order = ['a1', 'a2', 'b1', 'a3', 'b2', 'c1', 'd1', 'e1'];
  for (const name of order) {
    await expect.poll(() => begun).toContain(name);
    ends.get(name)?.();
  }
  await Promise.all(runs);
  expect(begun).toEqual(order);
  // Nobody's have no share: it is the process that asks.
  const all = Promise.withResolvers<void>();
  const own = Array.from({ length: 8 }, () => gate(() => all.promise));
  await expect(gate(async () => {})).rejects.toMatchObject(refused);
  all.resolve();
  await Promise.all(own);
});
