import { expect, test } from 'vitest';
import { withoutValues } from './without-values.ts';

test('literals go, names and placeholders stay', () => {
  expect(
    withoutValues(
      `select "a0".* from job2 as "a0" where id = 'it''s secret' and n > 12.5 and x = $1 limit 10 -- 7`,
    ),
  ).toBe('select "a0".* from job2 as "a0" where id = ? and n > ? and x = $1 limit ? -- ?');
});
