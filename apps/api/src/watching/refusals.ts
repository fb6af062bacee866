import type { Cell, Readings } from '@jetbeat/runtime';
import type { Cut } from '../edges/open-answers.ts';
import { type ApiError, problemStatus } from '../problems/problem.ts';

/** Counts what the API refuses. */
export interface Refusals {
  /** A request is answered with this. */
  count(error: ApiError): void;
  /** A connection was closed without an answer. */
  dropped(why: 'connections_dropped' | Cut): void;
  readings(): Readings;
}

/** Not allowed, too slow, too large, too much: what says something about callers and about this process, and not about one request. */
const STATUSES: ReadonlySet<number> = new Set([401, 403, 408, 413, 429, 431, 503]);

/** Makes the counts, all zero. The reasons are those of the catalogue, so there are no more of them than it has. */
export function createRefusals(): Refusals {
  const cells = new Map<string, Cell<'reason', number>>();
  const add = (reason: string) => {
    const cell = cells.get(reason) ?? { labels: { reason }, value: 0 };
    cell.value += 1;
    cells.set(reason, cell);
  };
  return {
    count(error) {
      if (error.counted !== undefined) add(error.counted);
      else if (STATUSES.has(problemStatus(error.code))) add(error.code);
    },
    dropped: add,
    readings: () => ({ jetbeat_api_refusals_total: [...cells.values()] }),
  };
}
