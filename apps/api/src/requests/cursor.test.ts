import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createCursors, type Listing } from './cursor.ts';

const secret = randomBytes(32);
const cursors = createCursors(secret);
const PLACE = { id: /^\d+$/ };

function listing(query: object, url = '/api/v1/jobs', params: object = {}): Listing {
  return { query, params, routeOptions: { url } };
}

const written = cursors.of(listing({ task: 'a', state: ['dead', 'queued'], limit: 5 })).write({ id: 7 });
const read = (query: object, url?: string, by = cursors) => by.of(listing(query, url)).read(PLACE);
const refused = expect.objectContaining({ code: 'invalid_cursor' });

test('a cursor holds for its list and filters, whatever the size of a page and the order of values', () => {
  const filters = { state: ['queued', 'dead'], task: 'a' };
  expect(read({ ...filters, cursor: written, limit: 200 })).toEqual({ id: '7' });
  expect(read({ ...filters, cursor: written }, '/api/v1/jobs', createCursors(secret))).toEqual({ id: '7' });
  expect(read({ task: 'a' })).toBeUndefined();
});

test.each([
  ['other filters', { task: 'b', state: ['dead', 'queued'] }, undefined, cursors],
  ['fewer filters', { task: 'a' }, undefined, cursors],
  ['another list', { task: 'a', state: ['dead', 'queued'] }, '/api/v1/dead-letters', cursors],
  ['another secret', { task: 'a', state: ['dead', 'queued'] }, undefined, createCursors(randomBytes(32))],
])('with %s it is refused', (_, query, url, by) => {
  expect(() => read({ ...query, cursor: written }, url, by)).toThrow(refused);
});

test('whatever is changed of it, it is refused', () => {
  const query = { task: 'a', state: ['dead', 'queued'] };
  for (let at = 0; at < written.length; at++) {
    const other = written.charAt(at) === 'A' ? 'B' : 'A';
    const cursor = written.slice(0, at) + other + written.slice(at + 1);
    expect(() => read({ ...query, cursor }), `at ${at}`).toThrow(refused);
  }
  const place = Buffer.from(JSON.stringify({ id: 8 })).toString('base64url');
  for (const cursor of ['x', '', '.', `${place}.`, place, `${written}A`, `${written}=`, ` ${written}`])
    expect(() => read({ ...query, cursor }), cursor).toThrow(refused);
});

test('nobody reads in it where it goes on; the same place is the same cursor, of one list alone', () => {
  const id = '0199f1c2-7d3a-7000-8000-0123456789ab';
  const write = (query: object, place = { id }) => cursors.of(listing(query)).write(place);
  const cursor = write({ task: 'a' });
  for (const part of cursor.split(/[^\w-]/))
    expect(Buffer.from(part, 'base64url').toString('latin1')).not.toContain('0199f1c2');
  expect(write({ task: 'a' })).toBe(cursor);
  expect(write({ task: 'b' }).slice(0, 16)).not.toBe(cursor.slice(0, 16));
  expect(write({ task: 'a' }, { id: id.replace('b', 'c') }).slice(0, 16)).not.toBe(cursor.slice(0, 16));
});

test('a place of another shape is refused, though it is sealed', () => {
  const list = cursors.of(listing({}));
  const shaped = (cursor: string) => cursors.of(listing({ cursor })).read(PLACE);
  expect(() => shaped(list.write({ id: 'x' }))).toThrow(refused);
  expect(() => shaped(list.write({ id: 1, more: 2 }))).toThrow(refused);
  expect(() => shaped(list.write({}))).toThrow(refused);
});

test('a page has a cursor where there is more', () => {
  const list = cursors.of(listing({}));
  const params = { show: (item: number) => item * 2, place: (id: number) => ({ id }) };
  expect(list.page([1, 2], 2, params)).toEqual({ items: [2, 4], nextCursor: null });
  const page = list.page([1, 2, 3], 2, params);
  expect(page.items).toEqual([2, 4]);
  expect(cursors.of(listing({ cursor: page.nextCursor ?? '' })).read(PLACE)).toEqual({ id: '2' });
});
