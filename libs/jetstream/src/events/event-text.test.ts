import { encodeEvent } from '@jetbeat/core';
import { expect, test } from 'vitest';
import { settled, testJob } from '../testing.ts';
import { fittingEvent } from './event-text.ts';

test('an event that fits is left as it is', () => {
  const event = settled(testJob(), { a: 1 });
  expect(fittingEvent(event, 10_000)).toBe(encodeEvent(event));
});

test('a result that is too large is replaced by its size, an error by its beginning', () => {
  const event = {
    ...settled(testJob(), 'x'.repeat(50_000)),
    error: { name: 'E', message: 'm'.repeat(4_000), stack: 's'.repeat(16_000) },
  };
  expect(JSON.parse(fittingEvent(event, 30_000))).toEqual({
    ...event,
    result: { truncated: true, bytes: 50_002 },
  });
  const cut = JSON.parse(fittingEvent(event, 4_000));
  expect(cut.result).toEqual({ truncated: true, bytes: 50_002 });
  expect(cut.error).toEqual({ name: 'E', message: `${'m'.repeat(1_024)} (cut)` });
});

test('what cannot be cut is refused by name', () => {
  const envelope = testJob({ input: 'x'.repeat(5_000) });
  const event = { kind: 'accepted', envelope, traceparent: '', seq: 1 } as const;
  expect(() => fittingEvent(event, 4_000)).toThrow(expect.objectContaining({ code: 'payload_too_large' }));
});
