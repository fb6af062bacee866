import type { QueueRequest } from '@jetbeat/core/http';
import type { QueueRecord } from '@jetbeat/postgres';
import { expect, test } from 'vitest';
import { editQueue } from './edit-queue.ts';

const rateLimit = { limit: 5, periodMs: 60_000 };
const said = { limit: 5, period: '1m' };
const record = (version: number, own: QueueRecord['own'] = {}): QueueRecord => ({
  name: 'mail',
  version,
  own,
  initial: {},
  createdAt: 0,
  updatedAt: 0,
});
type Asked = Parameters<typeof editQueue>[1];
const USUAL: Asked = { name: 'mail', isPut: true, isThere: true, ifMatch: undefined, ifNone: false };
const edit = (body: QueueRequest, found: QueueRecord, asked: Partial<Asked> = {}) => {
  const { change, done } = editQueue(body, { ...USUAL, ...asked });
  return { change: change(found), ...done() };
};
const WHOLE = { concurrency: null, rateLimit: null, maxDepth: null };

test.each([
  ['PUT', { rateLimit: said }, true],
  ['PUT', { rateLimit: said, concurrency: null }, true],
  ['PUT', { concurrency: 5 }, false],
  ['PUT', {}, false],
  ['PATCH', {}, true],
  ['PATCH', { maxDepth: null }, true],
  ['PATCH', { rateLimit: said }, true],
  ['PATCH', { rateLimit: { ...said, per: 'queue' } }, true],
  ['PATCH', { rateLimit: { ...said, per: 'task' } }, false],
  ['PATCH', { rateLimit: { ...said, limit: 6 } }, false],
  ['PATCH', { rateLimit: null }, false],
] as const)(
  '%s %j is there already: %s; then it is no change, whatever version was read',
  (method, body, isMade) => {
    const isPut = method === 'PUT';
    const found = record(3, { rateLimit });
    expect(edit(body, found, { isPut })).toMatchObject({ changed: !isMade, created: false });
    const stale = () => edit({ ...body, version: 2 }, found, { isPut });
    const byHeader = () => edit(body, found, { isPut, ifMatch: '"2"' });
    for (const ask of [stale, byHeader]) {
      if (isMade) expect(ask().change).toBeUndefined();
      else expect(ask).toThrow(expect.objectContaining({ code: 'queue_changed' }));
    }
    expect(edit({ ...body, version: 3 }, found, { isPut, ifMatch: 'W/"3"' }).changed).toBe(!isMade);
  },
);

test('PUT makes a queue that there is not, and says something of one of which nothing was said', () => {
  expect(edit({}, record(0), { isThere: false })).toEqual({ change: WHOLE, changed: true, created: true });
  expect(edit({}, record(0), { ifMatch: '"0"' })).toEqual({ change: WHOLE, changed: true, created: false });
  // Somebody was faster.
  expect(edit({}, record(1), { isThere: false })).toMatchObject({ changed: false, created: false });
  expect(edit({ maxDepth: null }, record(0), { isPut: false }).change).toBeUndefined();
});

test('If-None-Match: * makes one only where there is none, be it the same', () => {
  const there = expect.objectContaining({ code: 'already_there' });
  expect(edit({}, record(0), { isThere: false, ifNone: true }).created).toBe(true);
  expect(() => edit({}, record(0), { ifNone: true })).toThrow(there);
  expect(() => edit({}, record(1), { isThere: false, ifNone: true })).toThrow(there);
});

test('what cannot be the name of one is none', () => {
  expect(() => editQueue({}, { ...USUAL, name: 'a.b' })).toThrow(
    expect.objectContaining({ code: 'queue_not_found' }),
  );
});
