import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTraceparent, newTrace, parseTraceparent } from './trace-context.ts';

test('a trace is written and read back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 24, maxLength: 24 }), fc.boolean(), (random, sampled) => {
      fc.pre(random.slice(0, 16).some((byte) => byte > 0) && random.slice(16).some((byte) => byte > 0));
      const trace = { ...newTrace(random), sampled };
      expect(parseTraceparent(formatTraceparent(trace))).toEqual(trace);
    }),
  );
});

test.each([
  undefined,
  '',
  'text',
  `00-${'0'.repeat(32)}-${'a'.repeat(16)}-01`,
  `00-${'a'.repeat(32)}-${'0'.repeat(16)}-01`,
  `00-${'A'.repeat(32)}-${'a'.repeat(16)}-01`,
])('%j is as good as no trace', (header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});
