import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTraceparent, newTrace, ownTrace, parseTraceparent, traceOf } from './trace-context.ts';

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

test('a job is in the trace that it was put into, or is one of its own', () => {
  const id = '019ca945-0a00-783d-8ae7-15b1d0dc20a0';
  const own = { traceId: '019ca9450a00783d8ae715b1d0dc20a0', spanId: '8ae715b1d0dc20a0', sampled: false };
  expect(ownTrace(id)).toEqual(own);
  expect(parseTraceparent(formatTraceparent(own))).toEqual(own);
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  expect(traceOf({ id, traceparent })).toEqual({
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    sampled: true,
  });
  for (const none of [undefined, '', 'text']) expect(traceOf({ id, traceparent: none })).toEqual(own);
});
