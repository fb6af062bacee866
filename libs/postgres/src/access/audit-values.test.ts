import fc from 'fast-check';
import { expect, test } from 'vitest';
import { auditValues } from './audit-values.ts';

test('only what is different stands there, and of data of callers only that it has changed', () => {
  const before = {
    name: 'a',
    overlap: 'skip',
    gone: 1,
    list: [1, 2],
    job: {
      task: 't',
      input: { card: '4242' },
      meta: { a: 'b' },
      onFailure: [{ webhook: { url: 'https://x/secret' } }],
    },
  };
  const after = {
    name: 'a',
    overlap: 'allow',
    list: [1, 3],
    job: {
      task: 't',
      input: { card: '5555' },
      meta: { a: 'b' },
      onFailure: [{ webhook: { url: 'https://y/secret' } }],
    },
  };
  expect(auditValues({ before, after })).toEqual({
    before: { overlap: 'skip', gone: 1, list: [1, 2], job: { onFailure: [{ webhook: { changed: true } }] } },
    after: {
      overlap: 'allow',
      gone: null,
      list: [1, 3],
      job: { input: { changed: true }, onFailure: [{ webhook: { changed: true } }] },
    },
  });
  expect(auditValues({ before, after: before })).toEqual({});
  expect(auditValues({ after: { input: 'x', task: 't' } })).toEqual({
    after: { input: { changed: true }, task: 't' },
  });
  expect(auditValues({ before: 'x' })).toEqual({ before: 'x' });
  expect(auditValues({})).toEqual({});
});

test('whatever is given, no value below an input is in it, and it is JSON', () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue(),
      fc.record({ input: fc.constant('CANARY') }),
      fc.dictionary(fc.string(), tie('any'), { maxKeys: 4 }),
      fc.array(tie('any'), { maxLength: 3 }),
    ),
  })).any;
  fc.assert(
    fc.property(value, value, (before, after) => {
      expect(JSON.stringify(auditValues({ before, after })) ?? '').not.toContain('CANARY');
    }),
  );
});

test('of what is large only that it has changed; a side has 16 KiB at most', () => {
  const dates = (from: number) => Array.from({ length: 5_000 }, (_, index) => `2027-${from + index}`);
  const exclude = { name: 'x', dates: dates(0) };
  const before = { note: 'é'.repeat(100), overlap: 'skip', job: { task: 'a', exclude } };
  const after = { note: 'b', overlap: 'allow', job: { task: 'b', exclude: { name: 'y', dates: dates(1) } } };
  expect(auditValues({ before, after })).toEqual({
    before: { ...before, job: { task: 'a', exclude: { name: 'x', dates: { changed: true } } } },
    after: { ...after, job: { task: 'b', exclude: { name: 'y', dates: { changed: true } } } },
  });
  expect(auditValues({ before: dates(0), after: null })).toEqual({ before: { changed: true } });
  const many = Object.fromEntries(dates(0).map((date) => [date, 1]));
  expect(auditValues({ after: many })).toEqual({ after: { changed: true } });
  const text = fc.integer({ max: 30_000, min: 0 }).map((length) => 'é'.repeat(length));
  const large = fc.dictionary(fc.string({ maxLength: 20 }), fc.oneof(text, fc.dictionary(fc.string(), text)));
  fc.assert(
    fc.property(large, large, (was, is) => {
      for (const side of Object.values(auditValues({ before: was, after: is })))
        expect(Buffer.byteLength(JSON.stringify(side))).toBeLessThanOrEqual(16_384);
    }),
  );
});
