import type { Measure, RunResult } from './result.ts';
import type { OpenStage } from './stage.ts';

/** What one run found; the runner adds the time of day. */
export type Found = Omit<RunResult, 'at'>;

/** A row of the table: what is done on fresh servers, and what is measured of it. */
export interface Row {
  readonly name: string;
  /** In words, for the table. */
  readonly what: string;
  readonly measures: readonly Measure[];
  /** One run, on one stage or on several, one after the other. */
  run(open: OpenStage): Promise<Found>;
}
