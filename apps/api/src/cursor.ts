import { ApiError } from './problem.ts';

/** Where a list goes on: the values of the last item that its order looks at. */
type Place = Readonly<Record<string, string | number>>;

/** Writes where a list goes on; opaque to callers. */
export function encodeCursor(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/**
 * Reads a cursor of a list whose places look like `shape`.
 * @param shape for each field a pattern of its text form
 * @throws ApiError `invalid_cursor` for anything that this list does not write
 */
export function decodeCursor<Key extends string>(
  cursor: string | undefined,
  shape: Readonly<Record<Key, RegExp>>,
): Readonly<Record<Key, string>> | undefined {
  if (cursor === undefined) return undefined;
  const place = read(cursor);
  const keys = Object.keys(shape) as Key[];
  const fits =
    place !== undefined &&
    Object.keys(place).length === keys.length &&
    keys.every((key) => isText(place[key]) && shape[key].test(String(place[key])));
  if (!fits)
    throw new ApiError(
      'invalid_cursor',
      'use "nextCursor" of the page before, unchanged, with the same filters',
    );
  return Object.fromEntries(keys.map((key) => [key, String(place[key])])) as Record<Key, string>;
}

/** One page out of `limit + 1` items: one more than asked for tells that there is more. */
export function pageOf<Item, Shown>(
  found: readonly Item[],
  limit: number,
  params: { show: (item: Item) => Shown; place: (last: Item) => Place },
): { items: Shown[]; nextCursor: string | null } {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const nextCursor = found.length > limit && last !== undefined ? encodeCursor(params.place(last)) : null;
  return { items: items.map((item) => params.show(item)), nextCursor };
}

/** What `encodeCursor` writes; anything else may not even have a text form. */
function isText(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function read(cursor: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
