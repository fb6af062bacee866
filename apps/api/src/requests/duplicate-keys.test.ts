import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countKeys, countOwnKeys, duplicateKey } from './duplicate-keys.ts';

test.each([
  ['{"a":1,"a":2}', 'a'],
  ['{"a":{"b":1,"c":[{"d":1, "d" :2}]}}', 'd'],
  ['{"a\\u0062":1,"ab":2}', 'ab'],
  ['{"":1,"":2}', ''],
  ['{"\\\\":1,"\\\\":"x"}', '\\'],
])('%s has a key twice', (text, key) => {
  expect(countOwnKeys(JSON.parse(text), 32)).toBeLessThan(countKeys(text));
  expect(duplicateKey(text)).toBe(key);
});

test('what has no key twice has as many in its text as in its value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 2), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      expect(countKeys(text)).toBe(countOwnKeys(JSON.parse(text), 32));
      expect(duplicateKey(text)).toBeUndefined();
    }),
  );
});

test('boundless nesting is not followed', () => {
  const deep: unknown = JSON.parse('['.repeat(200_000) + ']'.repeat(200_000));
  expect(countOwnKeys(deep, 32)).toBeNaN();
});
