import { expect, test } from 'vitest';
import { createSilences } from './silences.ts';

const worker = (id: string, heardAt = 1) => ({ id, heardAt });

test('who has not answered is not waited for until something is heard of it', () => {
  const silences = createSilences();
  expect(silences.lasts(worker('a'))).toBe(false);
  expect(silences.note([worker('a'), worker('b')], new Set(['b']))).toEqual(new Set(['a']));
  expect([worker('a'), worker('a', 2), worker('b')].map(silences.lasts)).toEqual([true, false, false]);
});

test('an answer that came by itself ends a silence, and who counts as alive no more is forgotten', () => {
  const silences = createSilences();
  silences.note([worker('a'), worker('b')], new Set());
  expect(silences.note([worker('a')], new Set(['a']))).toEqual(new Set());
  expect([worker('a'), worker('b')].map(silences.lasts)).toEqual([false, false]);
});
