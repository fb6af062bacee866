import type { Total } from '@jetbeat/core/http';
import type { ListCursors } from './cursor.ts';

/** Names are sealed in a cursor; what a list shows under them is not asked. */
const PLACE = { name: /^[\s\S]{1,256}$/ };

/** One page of a list that is known as a whole, by its names; its first page tells how many there are. */
export function namedPage<Shown>(
  cursors: ListCursors,
  names: Iterable<string>,
  { limit, show }: { readonly limit: number; readonly show: (name: string) => Shown },
): { items: Shown[]; nextCursor: string | null; total?: Total } {
  const after = cursors.read(PLACE)?.name;
  const sorted = [...new Set(names)].sort();
  const rest = after === undefined ? sorted : sorted.filter((name) => name > after);
  return {
    ...cursors.page(rest, limit, { show, place: (name) => ({ name }) }),
    ...(after === undefined ? { total: { value: sorted.length, capped: false } } : {}),
  };
}
