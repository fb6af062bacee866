import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { KeptSpan, type SpanOrigin } from './kept-span.ts';
import { writeEarly } from './protobuf-exporter.ts';
import { SpanSerializer } from './span-serializer.ts';
import type { SpanWhole } from './tracing.ts';

const traceId = '0190a1b2c3d47e5f8000000000000001';
const place = (spanId: string, sampled = true) => ({ traceId, spanId, sampled });
const shared = { 'messaging.system': 'nats', 'messaging.client.id': `wörker-${'7'.repeat(40)}` };
const whole: SpanWhole = {
  text: {
    name: 'process größer',
    kind: 'consumer',
    shared,
    attributes: {
      task: 'mail.send',
      attempt: 2,
      'run.id': 'x'.repeat(300),
      negative: -5,
      large: 2 ** 40,
      empty: '',
    },
  },
  place: place('ab'.repeat(8)),
  parent: place('cd'.repeat(8)),
  links: [place('ef'.repeat(8), false)],
  startedAt: 1_700_000_000_123.5,
  endedAt: 1_700_000_001_000,
};

const resource = resourceFromAttributes({ 'service.name': 'test', 'process.pid': 7, list: ['a', 'b'] });

function make(spans: readonly SpanWhole[], use: (span: KeptSpan) => void = () => {}): KeptSpan[] {
  const ended: KeptSpan[] = [];
  const origin: SpanOrigin = {
    resource,
    scope: { name: 'jetbeat', version: '1' },
    onEnd: (span) => ended.push(span),
  };
  for (const each of spans) {
    const span = new KeptSpan(origin, each);
    use(span);
    span.end(each.endedAt);
  }
  return ended;
}

/** Reads protobuf without knowing what it says: fields with their numbers, in order. Messages are tried first. */
function read(bytes: Uint8Array): unknown[] | undefined {
  const fields: unknown[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) return -1n;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const sizes: Record<number, () => number> = { 1: () => 8, 2: () => Number(varint()), 5: () => 4 };
    const size = sizes[tag & 7];
    if (tag >= 8 && (tag & 7) === 0) {
      fields.push([tag >> 3, String(varint())]);
    } else {
      const length = size?.() ?? -1;
      if (tag < 8 || length < 0 || at + length > bytes.length) return undefined;
      const content = bytes.subarray(at, at + length);
      at += length;
      fields.push([tag >> 3, ((tag & 7) === 2 && read(content)) || Buffer.from(content).toString('hex')]);
    }
  }
  return fields;
}

/** Without what is so anyway: nothing dropped, no status, an empty text. */
function plain(fields: unknown): unknown {
  if (!Array.isArray(fields)) return fields;
  const isEmpty = (value: unknown) =>
    value === '0' || value === '' || (Array.isArray(value) && value.length === 0);
  return fields.map(plain).filter((field) => !(Array.isArray(field) && isEmpty(field[1])));
}

const written = (spans: KeptSpan[]) =>
  plain(read(new SpanSerializer().serializeRequest(spans) ?? new Uint8Array()));
const bySdk = (spans: KeptSpan[]) =>
  plain(read(ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array()));

test('what is written means what the SDK writes', () => {
  const more = { ...whole, parent: undefined, links: [], place: place('12'.repeat(8)) };
  const spans = make([whole, more, whole]);
  expect(written(spans)).toEqual(bySdk(spans));
  expect(JSON.stringify(written(spans))).toContain(Buffer.from('process größer').toString('hex'));
});

test('what is remembered of one request is right in the next', () => {
  const serializer = new SpanSerializer();
  const attributes = { attempt: 2, task: 'mail.send', 'jetbeat.job.id': 'x'.repeat(36), 'run.id': 'y' };
  for (const name of ['first', 'second', 'third']) {
    const spans = make([{ ...whole, text: { ...whole.text, name, attributes } }, whole], (span) => {
      span.finish(whole.endedAt, undefined, { 'jetbeat.outcome': 'succeeded' });
    });
    const bytes = serializer.serializeRequest(spans) ?? new Uint8Array();
    expect(plain(read(bytes))).toEqual(bySdk(spans));
  }
});

test('what is over is written at once, and one span stands for all in the batch', () => {
  const serializer = new SpanSerializer();
  const batch: ReadableSpan[] = [];
  const later = {
    onStart: () => {},
    onEnd: (span: ReadableSpan) => void batch.push(span),
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const early = writeEarly(later, serializer, 3);
  const spans = make([whole, { ...whole, place: place('12'.repeat(8)) }, whole, whole]);
  const [own] = make([whole], (span) => span.addEvent('seen', {}, 1_700_000_000_500));
  if (!own) throw new Error('no span was made');
  for (const span of [own, ...spans]) early.onEnd(span);
  // The one that only the SDK can write goes as it is, and what is too much too.
  expect(batch).toEqual([own, spans[0], spans[0], spans[0], spans[3]]);
  expect(serializer.count).toBe(3);
  const request = serializer.serializeRequest(batch.slice(0, 2));
  expect(plain(read(request ?? new Uint8Array()))).toEqual([
    ...(bySdk(spans.slice(0, 3)) as []),
    ...(bySdk([own]) as []),
  ]);
  expect(serializer.count).toBe(0);
  expect(serializer.hasSent(batch.slice(2, 4))).toBe(true);
  expect(serializer.hasSent(batch.slice(2))).toBe(false);
  expect(plain(read(serializer.serializeRequest(batch.slice(2)) ?? new Uint8Array()))).toEqual(
    bySdk(spans.slice(3)),
  );
});

test('a failed one', () => {
  const spans = make([whole], (span) => span.setStatus({ code: 2, message: 'it cannot work' }));
  expect(written(spans)).toEqual(bySdk(spans));
});

test('what a handler adds is left to the SDK, beside ours in the same request', () => {
  const added = make([whole], (span) => {
    span.setAttribute('list', ['a', 'b']).setAttributes({ share: 0.5, yes: true });
    span.addEvent('seen', { n: 1 }, 1_700_000_000_500).addLink({ context: span.spanContext() });
    span.recordException(new TypeError('odd'));
    span.updateName('other');
  });
  const [span] = added;
  expect(span?.events.map(({ name }) => name)).toEqual(['seen', 'exception']);
  expect(span?.events[0]?.time).toEqual([1_700_000_000, 500_000_000]);
  expect(written(added)).toEqual(bySdk(added));
  const both = new SpanSerializer().serializeRequest([...make([whole]), ...added]) ?? new Uint8Array();
  expect(plain(read(both))).toEqual([...(bySdk(make([whole])) as []), ...(bySdk(added) as [])]);
});

test('a span that is over does not change', () => {
  const [span] = make([whole]);
  span?.setAttribute('late', 1).setStatus({ code: 2 }).updateName('late').addEvent('late');
  span?.end();
  expect(span).toMatchObject({ name: 'process größer', status: { code: 0 }, events: [], ended: true });
  expect(span?.attributes['late']).toBeUndefined();
  expect(span?.duration).toEqual([0, 876_500_000]);
});
