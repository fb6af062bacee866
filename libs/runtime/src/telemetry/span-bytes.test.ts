import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { expect, test } from 'vitest';
import { KeptSpan, type SpanOrigin } from './kept-span.ts';
import { createSerializer } from './protobuf-exporter.ts';
import type { SpanWhole } from './tracing.ts';

const traceId = '0190a1b2c3d47e5f8000000000000001';
const place = (spanId: string, sampled = true) => ({ traceId, spanId, sampled });
const whole: SpanWhole = {
  text: {
    name: 'process größer',
    kind: 'consumer',
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

function make(spans: readonly SpanWhole[], use: (span: KeptSpan) => void = () => {}): KeptSpan[] {
  const ended: KeptSpan[] = [];
  const origin: SpanOrigin = {
    resource: resourceFromAttributes({ 'service.name': 'test', 'process.pid': 7, list: ['a', 'b'] }),
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
  plain(read(createSerializer().serializeRequest(spans) ?? new Uint8Array()));
const bySdk = (spans: KeptSpan[]) =>
  plain(read(ProtobufTraceSerializer.serializeRequest(spans) ?? new Uint8Array()));

test('what is written means what the SDK writes', () => {
  const more = { ...whole, parent: undefined, links: [], place: place('12'.repeat(8)) };
  const spans = make([whole, more, whole]);
  expect(written(spans)).toEqual(bySdk(spans));
  expect(JSON.stringify(written(spans))).toContain(Buffer.from('process größer').toString('hex'));
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
  const both = createSerializer().serializeRequest([...make([whole]), ...added]) ?? new Uint8Array();
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
