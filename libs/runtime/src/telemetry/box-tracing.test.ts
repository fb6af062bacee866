import { trace } from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { openBoxTracing, type SentSpans } from './box-tracing.ts';

test('spans are sent in batches, as plain JSON, and not more than a thousand in a second', () => {
  const sent: SentSpans[] = [];
  const box = openBoxTracing((some) => sent.push(JSON.parse(JSON.stringify(some))));
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const tracer = trace.getTracer('test', '1.2.3');
  expect(box.active()).toBeUndefined();
  box.within(traceparent, () => {
    expect(box.active()).toBe(traceparent);
    tracer.startActiveSpan('outer', (span) => {
      span.setAttributes({ text: 'a', list: ['b'], number: 1.5 }).addEvent('happened', { n: 1 });
      span.addLink({ context: { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: 1 } });
      expect(box.active()).toContain(span.spanContext().spanId);
      span.end();
    });
  });
  expect(sent).toEqual([]);
  box.flush();
  box.flush();
  expect(sent).toMatchObject([
    {
      left: 0,
      spans: [
        {
          name: 'outer',
          kind: 0,
          attributes: { text: 'a', list: ['b'], number: 1.5 },
          context: { traceId: 'a'.repeat(32), traceFlags: 1 },
          parentSpanContext: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), isRemote: true },
          instrumentationScope: { name: 'test', version: '1.2.3' },
          events: [{ name: 'happened', attributes: { n: 1 } }],
          links: [{ context: { spanId: 'd'.repeat(16) } }],
        },
      ],
    },
  ]);
  sent.length = 0;
  for (let count = 0; count < 2_500; count++) tracer.startSpan('many').end();
  box.flush();
  const kept = sent.reduce((sum, { spans }) => sum + spans.length, 0);
  const left = sent.reduce((sum, one) => sum + one.left, 0);
  expect(kept + left).toBe(2_500);
  // The second may turn in between.
  expect(kept).toBeLessThanOrEqual(2_000);
  expect(Math.max(...sent.map(({ spans }) => spans.length))).toBe(64);

  sent.length = 0;
  box.within(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`, () => tracer.startSpan('not kept').end());
  box.flush();
  expect(sent).toEqual([]);
});
