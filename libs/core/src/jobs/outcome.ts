/** How one attempt ended; a closed set. `lost`: its worker vanished, or the child process it ran in. `rejected`: never retry. */
export const OUTCOMES = [
  'succeeded',
  'failed',
  'timed-out',
  'cancelled',
  'snoozed',
  'rejected',
  'lost',
] as const;

/** How one attempt ended. */
export type Outcome = (typeof OUTCOMES)[number];

/** Why a job is dead, or held: a stable code, and a sentence for people. */
export interface Reason {
  readonly code: string;
  readonly text: string;
  /** The concurrency key that a parked job waits for. */
  readonly key?: string;
  /** The rate that it waits for. */
  readonly rate?: string;
}
