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
      ...{ overlap: 'allow', gone: null, list: [1, 3] },
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
