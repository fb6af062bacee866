import { expect, test } from 'vitest';
import { readSequence } from './read-sequence.ts';

const read = (text: string) => readSequence(Buffer.from(text));

test('the sequence of a plain answer is read, as the server writes it', () => {
  expect(read('{"stream":"JOBS", "seq":7}')).toBe(7);
  expect(read('{"stream":"acme_JOBS","domain":"hub", "seq":9007199254740991}')).toBe(Number.MAX_SAFE_INTEGER);
});

test.each([
  '',
  '{}',
  '7',
  '{"stream":"JOBS", "seq":0}',
  '{"stream":"JOBS", "seq":7,"duplicate": true}',
  '{"stream":"JOBS", "seq":7,"batch":"a","count":3}',
  '{"stream":"JOBS", "freq":7}',
  '{"stream":"JOBS", "xseq":7}',
  '{"stream":"JOBS", "seq":"7"}',
  '{"error":{"code":503,"err_code":10023},"stream":"JOBS","seq":0}',
  '{"error":{"code":503,"err_code":10077},"stream":"JOBS","seq":12}',
])('%s is not such an answer', (text) => {
  expect(read(text)).toBe(0);
});
