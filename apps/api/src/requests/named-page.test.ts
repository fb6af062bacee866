import { expect, test } from 'vitest';
import { createCursors } from './cursor.ts';
import { namedPage } from './named-page.ts';

const cursors = createCursors(Buffer.alloc(32));
const ask = (query: object) =>
  namedPage(cursors.of({ query, params: {}, routeOptions: { url: '/queues' } }), ['c', 'a', 'b', 'a'], {
    limit: 2,
    show: (name) => ({ name }),
  });

test('a list by name is asked for page by page, whatever comes or goes meanwhile', () => {
  const first = ask({ limit: '2' });
  expect(first).toMatchObject({ items: [{ name: 'a' }, { name: 'b' }], total: { value: 3, capped: false } });
  const rest = ask({ limit: '2', cursor: first.nextCursor });
  expect(rest).toEqual({ items: [{ name: 'c' }], nextCursor: null });
});
