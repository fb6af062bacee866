import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import type { Total } from '@jetbeat/core/http';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../problems/problem.ts';

/** Where a list goes on: the values of the last item that its order looks at. */
type Place = Readonly<Record<string, string | number>>;

/** Seals cursors, alike on every replica: a place may be that of a thing which whoever gets the cursor may not see. */
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

/** Bytes; of AES-GCM, NIST SP 800-38D. */
const NONCE = 12;
const TAG = 16;
const CURSOR = /^[\w-]{40,1000}$/;

/** Makes what seals cursors. */
export function createCursors(secret: Buffer): Cursors {
  const keyFor = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), purpose, 32));
  const key = keyFor('cursor');
  const nonceKey = keyFor('cursor nonce');
  return {
    of(request) {
      // What it holds for is not in it, and has to be the same where it is opened.
      const list = Buffer.from(describe(request));
      const write = (place: Place) => {
        const text = JSON.stringify(place);
        // Of the text and the list: so no nonce is used for two, however many cursors there are, and the same place is the same cursor.
        const nonce = createHmac('sha256', nonceKey)
          .update(`${text}\n`)
          .update(list)
          .digest()
          .subarray(0, NONCE);
        const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(list);
        const sealed = [cipher.update(text, 'utf8'), cipher.final()];
        return Buffer.concat([nonce, ...sealed, cipher.getAuthTag()]).toString('base64url');
      };
      const open = (cursor: string) => {
        const bytes = Buffer.from(cursor, 'base64url');
        // Of several ways to write the same bytes only ours is one.
        if (!CURSOR.test(cursor) || bytes.toString('base64url') !== cursor) return undefined;
        const nonce = bytes.subarray(0, NONCE);
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
        decipher.setAAD(list).setAuthTag(bytes.subarray(-TAG));
        return read(
          () => decipher.update(bytes.subarray(NONCE, -TAG), undefined, 'utf8') + decipher.final('utf8'),
        );
      };
      return {
        write,
        read(shape) {
          const { cursor } = request.query as { cursor?: string };
          return cursor === undefined ? undefined : shaped(open(cursor), shape);
        },
        async total(found, limit, count) {
          if ((request.query as { cursor?: string }).cursor !== undefined) return {};
          return { total: found.length > limit ? await count() : { value: found.length, capped: false } };
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

/** Opening fails for whatever was not sealed here, for this list. */
function read(open: () => string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(open());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
