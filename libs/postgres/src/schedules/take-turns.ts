import { bufferOf, PLAN_ORIGIN } from '@jetbeat/core';

/** What backfills are sure of, of the rows of a pass and of its bytes. */
export const BACKFILL_SHARE = 0.2;

/** What of a due row says when its turn is; times in Unix milliseconds. */
interface Turn {
  readonly origin: string;
  readonly nominalTime: number;
  readonly isBuffered: boolean;
  readonly waitUntil: number | null;
}

/**
 * In which order rows get a place in memory: live ones, then backfills, which are sure of their share of the bytes, and last those that
 * wait for history, so that neither thousands of a range that is over, nor what cannot go on, keep out what comes due. Within these it
 * stays the order of the rows.
 * @param params.weigh the bytes of a row, at most
 * @param params.budget all the bytes
 */
export function takeTurns<Row extends Turn>(
  rows: readonly Row[],
  params: { readonly weigh: (row: Row) => number; readonly budget: number },
): Row[] {
  const { weigh, budget } = params;
  const waits = (row: Row) => row.waitUntil !== null && !row.isBuffered;
  const isLive = (row: Row) => bufferOf(row.origin) === PLAN_ORIGIN;
  const ready = rows.filter((row) => !waits(row));
  const live = ready.filter(isLive);
  const filled = ready.filter((row) => !isLive(row));
  const first = fitting(live, weigh, budget * (1 - BACKFILL_SHARE));
  const second = fitting(filled, weigh, budget * BACKFILL_SHARE);
  return [
    ...live.slice(0, first),
    ...filled.slice(0, second),
    ...live.slice(first),
    ...filled.slice(second),
    ...rows.filter(waits),
  ];
}

/** How many rows are taken until they have so many bytes. */
function fitting<Row>(rows: readonly Row[], weigh: (row: Row) => number, bytes: number): number {
  let taken = 0;
  const end = rows.findIndex((row) => {
    const isFull = taken >= bytes;
    taken += weigh(row);
    return isFull;
  });
  return end === -1 ? rows.length : end;
}

/** In which order they are decided: what has waited for a job first, then by nominal time. */
export function oldestFirst(a: Turn, b: Turn): number {
  return Number(b.isBuffered) - Number(a.isBuffered) || a.nominalTime - b.nominalTime;
}
