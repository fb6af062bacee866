/** How one attempt ended; a closed set. `lost`: its worker vanished. `rejected`: never retry. */
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
}
