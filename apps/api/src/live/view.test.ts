import { type Event, encodeBatch, encodeEvent, uuidV7 } from '@jetbeat/core';
import { LiveEventSchema } from '@jetbeat/core/http';
import { Check } from 'typebox/value';
import { expect, test } from 'vitest';
import { readBatch } from './batch.ts';
import { createView } from './view.ts';

const AT = Date.UTC(2026, 4, 4);
const FACTS = {
  job: uuidV7(AT, new Uint8Array(10)),
  task: 'crawl',
  queue: 'mine',
  createdAt: AT,
  ...({ priority: 'normal' } as const),
  runAt: AT,
  attempt: 1,
  run: 1,
  parks: 1,
};
const KEY = 'alice@example.org';

function shown(event: Event, caller: { queues?: readonly string[]; payloads: boolean }) {
  const [told] = readBatch({ seq: 7, data: encodeBatch([encodeEvent(event)]) }).events;
  if (!told) throw new Error('nothing is told');
  const data = createView({}, caller).dataOf(told);
  expect(Check(LiveEventSchema, data)).toBe(true);
  return data;
}

test.each<Event>([
  { kind: 'parked', ...FACTS, what: 'key', key: KEY, limit: 1, taken: 1, at: AT },
  {
    kind: 'parked',
    ...FACTS,
    what: 'rate',
    rate: `task crawl, key ${KEY}`,
    limit: 2,
    periodMs: 1_000,
    at: AT,
  },
])('a key that may be made of an input is told to those who see inputs: $what', (event) => {
  expect(JSON.stringify(shown(event, { payloads: true }))).toContain(KEY);
  const bare = shown(event, { payloads: false });
  expect(JSON.stringify(bare)).not.toContain(KEY);
  expect(bare).toMatchObject({
    job: {
      hidden: ['concurrencyKey'],
      reason: { text: expect.stringMatching(/^waits for (its key: 1 of 1|the rate of task crawl: 2)/) },
    },
  });
});

test('of a worker that serves others too nobody is told how busy they keep it', () => {
  const worker: Event = {
    kind: 'worker',
    worker: 'w',
    state: 'running',
    host: 'h',
    pid: 1,
    version: '1',
    queues: ['mine', 'theirs'],
    concurrency: 9,
    held: 7,
    startedAt: AT,
    at: AT,
  };
  const seenBy = (queues?: readonly string[]) =>
    shown(worker, { payloads: true, ...(queues ? { queues } : {}) });
  expect(seenBy(['mine'])).toMatchObject({ worker: { queues: ['mine'], held: null } });
  expect(seenBy(['mine', 'theirs'])).toMatchObject({ worker: { held: 7 } });
  expect(seenBy()).toMatchObject({ worker: { held: 7 } });
});
