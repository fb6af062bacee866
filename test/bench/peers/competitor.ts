import type { PeerResult } from '../result.ts';

/** What is measured of a peer. */
export type PeerRow = PeerResult['row'];

/** How many jobs a run has, beside those that warm it up. */
export interface Size {
  readonly warmup: number;
  readonly jobs: number;
}

/** A number that the peer's server must answer for after a run; `ask` is a Redis command or an SQL query. */
export interface Check {
  readonly ask: string;
  readonly wanted: number;
}

/** One row of one peer. */
export interface RowPlan {
  /** Without the warm-up. */
  readonly jobs: number;
  /**
   * What its documents recommend, by the names that the program knows. Where they leave a choice, or tell the reader to
   * try values out, there are several, and the fastest in a short trial on this machine is the one that is measured.
   */
  readonly candidates: readonly [Settings, ...Settings[]];
}

/** Settings of a peer for one row. */
export type Settings = Readonly<Record<string, number | boolean>>;

/** One peer in one setting, with all that a run needs to know of it. Pure data but for the checks. */
export interface Competitor {
  readonly peer: string;
  readonly variant: string;
  /** Where its programs are: npm packages or a Python environment. */
  readonly runtime: 'node' | 'python';
  /** Arguments of the program that measures; the verb and the parameters come after them. */
  readonly program: readonly string[];
  /** Names in the lock file whose versions are printed; the first is the product itself. */
  readonly packages: readonly string[];
  readonly server: 'redis' | 'postgres';
  /** Further arguments of redis-server. */
  readonly serverArgs: readonly string[];
  readonly rows: Readonly<Record<PeerRow, RowPlan>>;
  /** The settings that are the same in every trial, and where they come from, for readers. */
  readonly settings: string;
  /** What the server must say after a run of a row. */
  checks(row: PeerRow, size: Size): Check[];
}

/** Jobs per second of the latency row. */
export const LATENCY_RATE = 200;

/** The plan of a latency row: six seconds at the rate. */
export function latencyPlan(...candidates: RowPlan['candidates']): RowPlan {
  return { jobs: 6 * LATENCY_RATE, candidates };
}
