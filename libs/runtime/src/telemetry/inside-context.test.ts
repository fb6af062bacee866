import { createContextKey, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { expect, test } from 'vitest';
import { InsideKept, InsidePlace } from './inside-context.ts';
import type { KeptSpan } from './kept-span.ts';

const place = { traceId: '0190a1b2c3d47e5f8000000000000001', spanId: 'ab'.repeat(8), sampled: false };
const key = createContextKey('test');

test('inside of a place the span is found as in any context, and made when somebody looks', () => {
  let read = 0;
  const at = new InsidePlace({
    get place() {
      read++;
      return place;
    },
  });
  expect(at.getValue(key)).toBeUndefined();
  expect(read).toBe(0);
  expect(trace.getSpanContext(at)).toEqual({
    traceId: place.traceId,
    spanId: place.spanId,
    traceFlags: 0,
    isRemote: false,
  });
  expect(trace.getSpan(at)).toBe(trace.getSpan(at));
  expect(read).toBe(1);
});

test('what is put into it is there beside the span', () => {
  const at = new InsidePlace({ place });
  const more = at.setValue(key, 7);
  expect(more.getValue(key)).toBe(7);
  expect(trace.getSpan(more)).toBe(trace.getSpan(at));
  expect(trace.getSpan(trace.deleteSpan(more))).toBeUndefined();
  expect(trace.getSpan(trace.deleteSpan(at))).toBeUndefined();
  expect(at.getValue(key)).toBeUndefined();
});

test('a kept span is made once, whether somebody looked at it or not', () => {
  const ended: KeptSpan[] = [];
  const origin = {
    resource: resourceFromAttributes({}),
    scope: { name: 'jetbeat' },
    onEnd: (span: KeptSpan) => ended.push(span),
  };
  let made = 0;
  const start = () => {
    made++;
    return {
      text: { name: 'process', kind: 'consumer', shared: { a: 1 }, attributes: { b: 2 } } as const,
      place,
      startedAt: 5,
    };
  };
  const at = new InsideKept(origin, start);
  expect(made).toBe(0);
  trace.getSpan(at)?.setAttribute('c', 3);
  at.span.finish(7.5, 'it cannot work', { d: 4 });
  at.span.finish(8, undefined);
  new InsideKept(origin, start).span.finish(6, undefined);
  expect(made).toBe(2);
  expect(ended).toHaveLength(2);
  expect(ended[0]?.attributes).toEqual({ a: 1, b: 2, c: 3, d: 4 });
  expect(ended[0]).toMatchObject({
    status: { code: 2, message: 'it cannot work' },
    startTime: [0, 5_000_000],
    endTime: [0, 7_500_000],
  });
  expect(ended[1]?.attributes).toEqual({ a: 1, b: 2 });
});
