import { expect, test } from 'vitest';
import { entityTag, matches } from './entity-tag.ts';

test.each([
  [undefined, true],
  ['*', true],
  [entityTag(3), true],
  ['W/"3"', true],
  ['"1", "3"', true],
  ['"2"', false],
  ['3', false],
  ['"33"', false],
  ['', false],
])('If-Match: %s of version 3: %s', (header, fits) => {
  expect(matches(header, 3)).toBe(fits);
});
