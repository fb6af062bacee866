import { Reject } from '@jetbeat/task';

/** A table as a job names it. */
export interface TableName {
  readonly schema?: string;
  readonly table: string;
}

/** The longest name that PostgreSQL keeps, bytes. */
const MAX_BYTES = 63;

/**
 * Reads `orders` or `shop.orders`. Names are taken as they stand: no quotes, no folding to lower case. One with a dot in
 * it is written as `{ schema, table }`.
 * @throws OnPurposeError (rejected) for what can be no name
 */
export function tableName(given: string | TableName): TableName {
  const [first = '', second, ...more] = typeof given === 'string' ? given.split('.') : [];
  const read =
    typeof given !== 'string'
      ? given
      : second === undefined
        ? { table: first }
        : { schema: first, table: second };
  const parts = [read.table, ...(read.schema === undefined ? [] : [read.schema])];
  if (more.length > 0 || !parts.every(isName))
    throw Reject(
      `${JSON.stringify(given)} is no table: write "table", "schema.table" or { "schema": …, "table": … }`,
      { code: 'invalid_table' },
    );
  return read;
}

function isName(text: string): boolean {
  return text !== '' && !text.includes('\0') && Buffer.byteLength(text) <= MAX_BYTES;
}

/** A name as an identifier that is nothing else (PostgreSQL manual, 4.1.1). */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
