import { expect, test } from 'vitest';
import { Tail } from './tail.ts';

test('the end is kept, in pieces of any size', () => {
  const tail = new Tail(10);
  for (const text of ['a', 'bcdefghij'.repeat(500), 'k', '', '1234567']) tail.push(Buffer.from(text));
  expect([tail.text(), tail.text(3), tail.isCut]).toEqual(['ijk1234567', '567', true]);
});

test('many small pieces are not kept as pieces', () => {
  const tail = new Tail(1_000);
  for (let i = 0; i < 100_000; i++) tail.push(Buffer.from(String(i % 10)));
  expect(tail.text()).toBe('0123456789'.repeat(100));
});

test('what is short is kept whole, NUL and broken characters as U+FFFD', () => {
  const tail = new Tail(10);
  tail.push(Buffer.from('a\0'));
  tail.push(Buffer.from([0xff]));
  expect([tail.text(), tail.isCut]).toEqual(['a\uFFFD\uFFFD', false]);
  expect(new Tail(10).text()).toBe('');
});

test('no half of a character stands at the beginning', () => {
  const tail = new Tail(4);
  tail.push(Buffer.from('éééx'));
  expect(tail.text()).toBe('éx');
});
