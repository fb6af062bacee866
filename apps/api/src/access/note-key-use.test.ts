import { beforeEach, expect, test } from 'vitest';
import { createKeyUses, type KeyUses } from './note-key-use.ts';

let now: number;
let written: (readonly string[])[];
let warned: number;
let write: (ids: readonly string[]) => Promise<void>;
let uses: KeyUses;
beforeEach(() => {
  now = 0;
  written = [];
  warned = 0;
  write = async () => {};
  uses = createKeyUses({
    write: (ids) => {
      written.push(ids);
      return write(ids);
    },
    log: { warn: () => void warned++ },
    now: () => now,
  });
});

test('once a minute for each key, many at once while the one before is written', async () => {
  const held = Promise.withResolvers<void>();
  write = () => held.promise;
  for (let index = 0; index < 100; index++) for (const id of ['a', 'b', 'c']) uses.note(id);
  held.resolve();
  await uses.stop();
  expect(written).toEqual([['a'], ['b', 'c']]);
  uses.note('d');
  expect(written).toHaveLength(2);
});

test('a note that fails harms nobody, and the next one is tried after a minute', async () => {
  write = async () => {
    throw new Error('away');
  };
  uses.note('a');
  await expect.poll(() => warned).toBe(1);
  now = 59_999;
  uses.note('a');
  now = 60_000;
  uses.note('a');
  await uses.stop();
  expect(written).toEqual([['a'], ['a']]);
});
