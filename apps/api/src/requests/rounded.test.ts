import { expect, test } from 'vitest';
import { findRounded } from './rounded.ts';

const pointers = (text: string) => findRounded(text).map(({ pointer }) => pointer);

test('only integers that would become others are found', () => {
  expect(pointers('{"a":9007199254740993}')).toEqual(['/a']);
  expect(pointers('9007199254740993')).toEqual(['']);
  expect(pointers('{"a":-12345678901234567891,"b":[1,{"c/d":9007199254740992}, 9007199254740995]}')).toEqual([
    '/a',
    '/b/2',
  ]);
  // These are the same numbers afterwards.
  expect(pointers('[9007199254740991, 10000000000000000000000, 18014398509481984]')).toEqual([]);
  // Fractions, and what is too large for any double, are no matter of this.
  expect(pointers(`[0.12345678901234567890, 1.5e300, 12345678901234567890e2, ${'9'.repeat(400)}]`)).toEqual(
    [],
  );
});

test('texts and keys are not numbers, whatever is in them', () => {
  const text = '9007199254740993';
  expect(
    pointers(JSON.stringify({ [text]: [text, `"${text}`, `\\" ${text}`, `\\\\`, { x: text }] })),
  ).toEqual([]);
  expect(pointers('{"~\\"/\\u00e9\\\\" : [ [], {"":[0 , 9007199254740993]} ] }')).toEqual(['/~0"~1é\\/1//1']);
});

test('a large body is searched in a moment, and a few findings are enough', () => {
  const digits = '9007199254740993';
  expect(findRounded(`[${Array(50_000).fill(digits).join(',')}]`)).toHaveLength(8);
  const begun = process.cpuUsage();
  expect(findRounded(JSON.stringify(Array(50_000).fill(digits)))).toEqual([]);
  expect(findRounded(JSON.stringify(`${'\\"'.repeat(300_000)}${digits}`))).toEqual([]);
  expect(findRounded(`"${'9'.repeat(1_000_000)}"`)).toEqual([]);
  expect(findRounded('9'.repeat(1_000_000))).toEqual([]);
  const { user, system } = process.cpuUsage(begun);
  expect((user + system) / 1_000).toBeLessThan(1_500);
});
