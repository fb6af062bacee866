import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MalformedMessageError } from '../errors.ts';
import { uuidV7 } from '../ids.ts';
import { FIRST_POSITION, type JobEnvelope } from './envelope.ts';
import { type Event, factsOf, publishedEvent } from './event.ts';
import { decodeBatch, encodeBatch, encodeEvent } from './event-batch.ts';

const job: JobEnvelope = {
  v: 1,
  id: uuidV7(5, new Uint8Array(10)),
  task: 'a.b',
  queue: 'default',
  priority: 'normal',
  input: null,
  createdAt: 5,
  runAt: 5,
  ...FIRST_POSITION,
};
const parked: Event = { kind: 'parked', ...factsOf(job, undefined), what: 'task', at: 6 };
const known: Event[] = [
  { kind: 'accepted', envelope: job, traceparent: '', seq: 1 },
  publishedEvent(job, 'a'.repeat(32)),
  { kind: 'started', ...factsOf(job, 'a'.repeat(32), 7), runId: job.id, worker: 'w', at: 6 },
  parked,
  {
    kind: 'settled',
    ...factsOf(job, undefined),
    runId: job.id,
    worker: 'w',
    outcome: 'succeeded',
    startedAt: 5,
    finishedAt: 6,
    next: { state: 'succeeded' },
  },
  {
    kind: 'worker',
    worker: 'w',
    state: 'running',
    host: 'h',
    pid: 1,
    version: '0',
    queues: [],
    concurrency: 1,
    held: 0,
    startedAt: 1,
    at: 2,
  },
];
const read = (text: string) => decodeBatch(new TextEncoder().encode(text));

test('an accepted event takes the text of its envelope where that is written already', () => {
  const text = JSON.stringify(job);
  for (const traceparent of [undefined, '00-x"']) {
    const event = { kind: 'accepted', envelope: job, traceparent, seq: 5 } as const;
    expect(JSON.parse(encodeEvent({ ...event, text }))).toEqual(JSON.parse(encodeEvent(event)));
  }
});

test('a batch is read back as it was written', () => {
  expect(decodeBatch(encodeBatch(known.map(encodeEvent)))).toEqual({ events: known, skipped: 0 });
  expect(decodeBatch(encodeBatch([]))).toEqual({ events: [], skipped: 0 });
});

test('the facts of a job leave out what is not known', () => {
  const written: unknown = JSON.parse(encodeEvent({ ...parked, ...factsOf(job, undefined) }));
  expect(written).not.toHaveProperty('traceId');
  expect(written).not.toHaveProperty('seq');
  expect(factsOf(job, 't', 7)).toMatchObject({
    job: job.id,
    traceId: 't',
    seq: 7,
    attempt: 1,
    run: 1,
    parks: 0,
  });
});

test('a stranger in a batch is skipped and counted, and holds up nothing', () => {
  const strangers = [
    5,
    null,
    'text',
    {},
    { kind: 7 },
    { kind: 'exploded', job: job.id },
    { kind: 'worker' },
    { kind: 'accepted' },
    { kind: 'accepted', envelope: { id: 'x' } },
    { kind: 'started', job: 'x', ...FIRST_POSITION },
    { kind: 'started', job: job.id },
    { kind: 'started', job: job.id, attempt: 1, run: 1, parks: 0.5 },
  ];
  const text = JSON.stringify([...strangers.slice(0, 6), parked, ...strangers.slice(6)]);
  expect(read(text)).toEqual({ events: [parked], skipped: strangers.length });
});

test('what is no batch at all is malformed', () => {
  for (const text of ['{}', '7', '[', '']) expect(() => read(text)).toThrow(MalformedMessageError);
  expect(() => decodeBatch(new Uint8Array([0xff, 0xfe]))).toThrow(MalformedMessageError);
});

test('garbage is skipped or malformed, and never anything else', () => {
  const kind = fc.constantFrom('accepted', 'published', 'started', 'settled', 'worker', 'x');
  const entry = fc.oneof(
    fc.jsonValue(),
    fc.record({ kind, job: fc.jsonValue(), attempt: fc.jsonValue(), envelope: fc.jsonValue() }),
  );
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const { events, skipped } = read(JSON.stringify(entries));
      expect(events.length + skipped).toBe(entries.length);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (data) => {
      try {
        decodeBatch(data);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedMessageError);
      }
    }),
  );
});
