import { expect, onTestFinished, test } from 'vitest';
import type { Held } from '../held.ts';
import { createKeyLines } from './key-lines.ts';

/** Lines with these bounds; what is late is noted. */
function bench({ most = 10, stillMs = 60_000, waitMs = 60_000 } = {}) {
  const late: string[] = [];
  const lines = createKeyLines<string>({
    most: () => most,
    stillMs,
    waitMs,
    onLate: (hash) => late.push(hash),
  });
  onTestFinished(() => lines.close('closed'));
  const add = (hash: string, name: string) => lines.add(hash, name as unknown as Held, 1);
  return { lines, late, add };
}

test('each line has its own order, and together they are not longer than they may be', async () => {
  const { lines, add } = bench({ most: 3 });
  const answers = [add('k', 'a'), add('k', 'b'), add('l', 'c')];
  expect([lines.size, lines.open]).toEqual([3, false]);
  expect([lines.first('k')?.held, lines.first('l')?.held, lines.first('m')]).toEqual(['a', 'c', undefined]);
  lines.next('k', 'one');
  expect([lines.size, lines.open, lines.first('k')?.held]).toEqual([2, true, 'b']);
  lines.next('k', 'two');
  lines.next('k', 'nobody');
  lines.next('l', 'three');
  expect(await Promise.all(answers)).toEqual(['one', 'two', 'three']);
  expect([lines.size, lines.first('k')]).toEqual([0, undefined]);
});

test.each([{ stillMs: 100 }, { waitMs: 100 }])(
  'a line in which it takes too long is told of: %o',
  async (bounds) => {
    const { lines, late, add } = bench(bounds);
    const answer = add('k', 'a');
    await expect.poll(() => late.length).toBeGreaterThan(0);
    expect(new Set(late)).toEqual(new Set(['k']));
    lines.next('k', 'parked');
    expect(await answer).toBe('parked');
  },
);

test('a line is told of once, however long it takes until it is empty; another one by itself', async () => {
  const { lines, late, add } = bench({ stillMs: 50 });
  const answers = [add('k', 'a'), add('k', 'b')];
  await expect.poll(() => late).toEqual(['k']);
  // Looked at since, and more than once: the other line stands still for as long.
  answers.push(add('l', 'c'));
  await expect.poll(() => late.includes('l')).toBe(true);
  expect(late).toEqual(['k', 'l']);
  lines.next('k', 'one');
  lines.next('k', 'two');
  // A new line of the same key is told of anew.
  answers.push(add('k', 'd'));
  await expect.poll(() => late).toEqual(['k', 'l', 'k']);
  lines.close('closed');
  expect(await Promise.all(answers)).toEqual(['one', 'two', 'closed', 'closed']);
});

test('when it closes all are answered, and nobody is taken', async () => {
  const { lines, add } = bench();
  const answers = [add('k', 'a'), add('l', 'b')];
  lines.close('closed');
  expect(await Promise.all(answers)).toEqual(['closed', 'closed']);
  expect([lines.size, lines.open]).toEqual([0, false]);
});
