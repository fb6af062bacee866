import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SettledEvent } from './event.ts';
import { OUTCOMES } from './outcome.ts';
import { settledText } from './settled-text.ts';

const text = fc.oneof(fc.uuid(), fc.string(), fc.constant('a "b"\\\n\u2028'));
const count = fc.integer({ min: 0 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const event: fc.Arbitrary<SettledEvent> = fc.record({
  kind: fc.constant('settled' as const),
  job: text,
  task: text,
  queue: text,
  priority: fc.constantFrom('high' as const, 'normal' as const, 'low' as const),
  createdAt: count,
  runAt: count,
  attempt: count,
  run: count,
  parks: count,
  traceId: maybe(text),
  seq: maybe(count),
  runId: text,
  worker: text,
  outcome: fc.constantFrom(...OUTCOMES),
  startedAt: count,
  finishedAt: count,
  error: maybe(fc.record({ name: text, message: text })),
  result: fc.jsonValue(),
  next: fc.oneof(
    fc.constant({ state: 'succeeded' as const }),
    fc.record({ state: fc.constant('retrying' as const), attempt: count, runAt: count }),
    fc.record({ state: fc.constant('dead' as const), reason: fc.record({ code: text, text }) }),
  ),
  span: maybe(text),
});

test('it says the same as JSON.stringify', () => {
  fc.assert(
    fc.property(event, (settled) => {
      expect(JSON.parse(settledText(settled))).toEqual(JSON.parse(JSON.stringify(settled)));
    }),
  );
});
