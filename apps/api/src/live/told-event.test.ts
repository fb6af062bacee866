import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Event, encodeBatch, encodeEvent, uuidV7 } from '@jetbeat/core';
import { LIVE_TYPES, LiveEventSchema } from '@jetbeat/core/http';
import fc from 'fast-check';
import { Check } from 'typebox/value';
import { expect, test } from 'vitest';
import { readBatch } from './batch.ts';
import { toldEvent } from './told-event.ts';

const AT = Date.UTC(2026, 4, 4);
const ID = uuidV7(AT, new Uint8Array(10));
const WHERE = { task: 'report.send', queue: 'mail', priority: 'normal', createdAt: AT, runAt: AT } as const;
const FACTS = { ...WHERE, job: ID, attempt: 2, run: 3, parks: 0 };
const RUN = { runId: ID, worker: 'w1' };
const SETTLED = { kind: 'settled', ...FACTS, ...RUN, startedAt: AT, finishedAt: AT + 5 } as const;
const ENVELOPE = { v: 1, id: ID, ...WHERE, input: { secret: 1 }, attempt: 1, run: 1, parks: 0 } as const;
const REASON = { code: 'why', text: 'because' };

const WORKER = {
  kind: 'worker' as const,
  worker: 'w1',
  host: 'h',
  pid: 1,
  version: '1',
  queues: ['mail'],
  concurrency: 1,
  held: 0,
  startedAt: AT,
  at: AT,
} as const;

const EVENTS: readonly (readonly [string, Event])[] = [
  ['job.queued', { kind: 'accepted', envelope: ENVELOPE, seq: 1 }],
  ['job.scheduled', { kind: 'accepted', envelope: { ...ENVELOPE, runAt: AT + 1_000 }, seq: 1 }],
  ['job.running', { kind: 'started', ...FACTS, ...RUN, at: AT }],
  ['job.progress', { kind: 'progress', ...FACTS, ...RUN, startedAt: AT, at: AT, value: 50, note: 'half' }],
  ['job.succeeded', { ...SETTLED, outcome: 'succeeded', result: { sum: 3 }, next: { state: 'succeeded' } }],
  ['job.cancelled', { ...SETTLED, outcome: 'cancelled', next: { state: 'cancelled' } }],
  [
    'job.retrying',
    {
      ...SETTLED,
      outcome: 'failed',
      error: { name: 'Error', message: 'no', stack: 's' },
      next: { state: 'retrying', attempt: 3, runAt: AT + 9_000 },
    },
  ],
  ['job.dead', { ...SETTLED, outcome: 'rejected', next: { state: 'dead', reason: REASON } }],
  ['job.parked', { kind: 'parked', ...FACTS, what: 'key', key: 'a', limit: 1, taken: 1, at: AT }],
  ['job.queued', { kind: 'released', ...FACTS, at: AT }],
  ['job.queued', { kind: 'returned', ...FACTS, worker: 'w1', at: AT }],
  ['job.queued', { kind: 'published', ...FACTS }],
  ['job.scheduled', { kind: 'published', ...FACTS, runAt: AT + 1_000 }],
  ['job.expired', { kind: 'ended', ...FACTS, state: 'expired', reason: REASON, at: AT }],
  ['worker.running', { ...WORKER, state: 'running' }],
  ['worker.stopped', { ...WORKER, state: 'stopped' }],
];

test.each(EVENTS)('%s is told as its schema says', (type, event) => {
  const [told] = readBatch({ seq: 7, data: encodeBatch([encodeEvent(event)]) }).events;
  expect(told).toMatchObject({ type, index: 0, data: { type } });
  expect(LIVE_TYPES).toContain(type);
  expect(Check(LiveEventSchema, told?.data)).toBe(true);
  // Inputs are in history, and stacks.
  expect(JSON.stringify(told)).not.toMatch(/secret|stack/);
});

test('every type that one can ask for is told of something, and stands in the documentation, and nothing else does', () => {
  const told = new Set(EVENTS.map(([type]) => type));
  expect([...told].sort()).toEqual([...LIVE_TYPES].sort());
  const page = readFileSync(resolve(import.meta.dirname, '../../../../docs/events.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );
  expect(named.sort()).toEqual([...LIVE_TYPES, 'gap'].sort());
});

test('what is large is cut: an event is a few kilobytes, whatever its job holds', () => {
  const long = 'x'.repeat(100_000);
  const error = { name: long, message: long, code: long, stack: long };
  const dead = { state: 'dead', reason: { code: long, text: long } } as const;
  const told = toldEvent({ ...SETTLED, outcome: 'failed', error, result: long, next: dead }, 3);
  expect(told).toMatchObject({ index: 3, data: { job: { cut: ['result', 'reason', 'error'] } } });
  expect(JSON.stringify(told?.data).length).toBeLessThan(4_000);
  expect(Check(LiveEventSchema, told?.data)).toBe(true);
});

test('what a stranger has put among the events is passed by, and what is told of it is sound', () => {
  const sound = EVENTS.map(([, event]) => event);
  const bent = fc
    .tuple(fc.constantFrom(...sound), fc.constantFrom(...sound.flatMap(Object.keys)), fc.jsonValue())
    .map(([event, field, value]): unknown => ({ ...event, [field]: value }));
  const entries = fc.array(fc.oneof(bent, fc.jsonValue()), { maxLength: 4 });
  const holds = fc.property(entries, (strange) => {
    const text = JSON.stringify([...strange, sound[4]]);
    const { events } = readBatch({ seq: 1, data: new TextEncoder().encode(text) });
    expect(events.at(-1)).toMatchObject({ index: strange.length, type: 'job.succeeded' });
    for (const { data } of events) expect(Check(LiveEventSchema, data), JSON.stringify(data)).toBe(true);
  });
  fc.assert(holds, { numRuns: 1_000 });
  for (const data of [new Uint8Array([255, 0, 1]), new TextEncoder().encode('{}')])
    expect(readBatch({ seq: 1, data }).events).toEqual([]);
});
