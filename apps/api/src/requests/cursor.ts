import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import type { Total } from '@jetbeat/core';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../problems/problem.ts';

/** Where a list goes on: the values of the last item that its order looks at. */
type Place = Readonly<Record<string, string | number>>;

/** Signs cursors, alike on every replica. */
export interface Cursors {
  /** Those of the list that a request asks for: they hold for its path and filters alone, whatever the size of a page. */
  of(request: Listing): ListCursors;
}

/** What a cursor holds for. */
export type Listing = Pick<FastifyRequest, 'query' | 'params'> & {
  readonly routeOptions: { readonly url?: string | undefined };
};

/** The cursors of one list. */
export interface ListCursors {
  /**
   * Reads the request's cursor, if it has one, of a list whose places look like `shape`.
   * @param shape for each field a pattern of its text form
   * @throws ApiError `invalid_cursor` for anything that this list does not write
   */
  read<Key extends string>(shape: Readonly<Record<Key, RegExp>>): Readonly<Record<Key, string>> | undefined;
  /** Writes where the list goes on; opaque to callers. */
  write(place: Place): string;
  /** One page out of `limit + 1` items: one more than asked for tells that there is more. */
  page<Item, Shown>(
    found: readonly Item[],
    limit: number,
    params: { show: (item: Item) => Shown; place: (last: Item) => Place },
  ): { items: Shown[]; nextCursor: string | null };
  /**
   * How many fit in all, which the first page tells: where it has them all, that says it itself.
   * @param count counts them
   */
  total(found: readonly unknown[], limit: number, count: () => Promise<Total>): Promise<{ total?: Total }>;
}

/** As many bits as nobody tries out. */
const MAC_BYTES = 16;
const CURSOR = /^([\w-]{1,900})\.([\w-]{22})$/;

/** Makes what signs cursors. */
export function createCursors(secret: Buffer): Cursors {
  const key = createSecretKey(secret);
  const sign = (text: string) => createHmac('sha256', key).update(text).digest().subarray(0, MAC_BYTES);
  return {
    of(request) {
      const list = describe(request);
      const macOf = (place: string) => sign(`${place}\n${list}`);
      const write = (place: Place) => {
        const text = Buffer.from(JSON.stringify(place)).toString('base64url');
        return `${text}.${macOf(text).toString('base64url')}`;
      };
      return {
        write,
        async total(found, limit, count) {
          if ((request.query as { cursor?: string }).cursor !== undefined) return {};
          return { total: found.length > limit ? await count() : { value: found.length, capped: false } };
        },
        read(shape) {
          const { cursor } = request.query as { cursor?: string };
          if (cursor === undefined) return undefined;
          const [, text = '', mac = ''] = CURSOR.exec(cursor) ?? [];
          const place =
            text !== '' && timingSafeEqual(pad(Buffer.from(mac, 'base64url')), macOf(text))
              ? read(text)
              : undefined;
          return shaped(place, shape);
        },
        page(found, limit, params) {
          const items = found.slice(0, limit);
          const last = items.at(-1);
          const nextCursor = found.length > limit && last !== undefined ? write(params.place(last)) : null;
          return { items: items.map((item) => params.show(item)), nextCursor };
        },
      };
    },
  };
}

/** The list and what it is filtered by, as one text; repeated values of one filter have no order. */
function describe({ query, params, routeOptions }: Listing): string {
  const { cursor: _, limit: __, ...filters } = (query ?? {}) as Record<string, unknown>;
  const sorted = Object.keys(filters)
    .sort()
    .map((name) => {
      const value = filters[name];
      return [name, Array.isArray(value) ? [...(value as unknown[])].sort() : value];
    });
  return JSON.stringify([routeOptions.url ?? '', params ?? {}, sorted]);
}

/** Both sides of a comparison are of one length. */
function pad(mac: Buffer): Buffer {
  return Buffer.concat([mac], MAC_BYTES);
}

function shaped<Key extends string>(
  place: Record<string, unknown> | undefined,
  shape: Readonly<Record<Key, RegExp>>,
): Readonly<Record<Key, string>> {
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

/** What `write` writes; an older version may have written something else. */
function isText(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function read(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
