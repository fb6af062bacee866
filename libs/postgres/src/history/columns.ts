import { type ColumnType, toArray } from '../database/arrays.ts';

/** A column of what is written: its name in SQL, its type, and where its values come from. */
export interface Column<Row> {
  readonly name: string;
  readonly type: ColumnType;
  /** Undefined and null are both null. */
  readonly of: (row: Row) => unknown;
}

/** SQL that makes rows of the arrays that are bound from $1 on, one for each column; it stands behind `select`. */
export function unnested<Row>(columns: readonly Column<Row>[]): string {
  return columns.map(({ name, type }, index) => `unnest($${index + 1}::${type}[]) as ${name}`).join(', ');
}

/** The arrays that `unnested` reads. */
export function toArrays<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): (Buffer | null)[] {
  return columns.map(({ type, of }) => toArray(type, rows.map(of)));
}
