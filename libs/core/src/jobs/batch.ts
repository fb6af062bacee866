import { JOB_STATES, type JobState, TERMINAL_STATES } from './job-state.ts';

/** What can be done with all jobs of a filter. */
export const BATCH_ACTIONS = ['cancel', 'retry', 'run-now', 'replay', 'discard'] as const;
/** What can be done with all jobs of a filter. */
export type BatchAction = (typeof BATCH_ACTIONS)[number];

const OPEN_STATES = JOB_STATES.filter(
  (state) => state !== 'cancelling' && !(TERMINAL_STATES as readonly JobState[]).includes(state),
);

/** The states in which a job can be one of a batch, and those that are meant where nobody has named any. */
const STATES: Readonly<Record<BatchAction, { may: readonly JobState[]; usual: readonly JobState[] }>> = {
  cancel: { may: OPEN_STATES, usual: OPEN_STATES },
  // What went well is run once more only by who says so.
  retry: { may: TERMINAL_STATES, usual: ['dead', 'expired'] },
  'run-now': { may: ['scheduled', 'retrying'], usual: ['scheduled', 'retrying'] },
  replay: { may: ['dead'], usual: ['dead'] },
  discard: { may: ['dead'], usual: ['dead'] },
};

/**
 * The states of the jobs that a batch is for.
 * @param asked those that were named, if any
 * @returns `wrong`: those in which this cannot be done, with what can
 */
export function batchStates(
  action: BatchAction,
  asked: readonly JobState[] | undefined,
):
  | { readonly states: readonly JobState[]; readonly wrong?: undefined }
  | { readonly wrong: readonly JobState[]; readonly may: readonly JobState[] } {
  const { may, usual } = STATES[action];
  if (asked === undefined || asked.length === 0) return { states: usual };
  const wrong = asked.filter((state) => !may.includes(state));
  return wrong.length > 0 ? { wrong, may } : { states: [...new Set(asked)] };
}

/** How many of a batch may be begun in one step now: what its rate has left, at most that of a second. */
export function batchPace(params: {
  /** In a second. */
  readonly rate: number;
  /** Up to when the rate is used up, Unix milliseconds. */
  readonly pacedAt: number;
  readonly now: number;
}): number {
  const { rate, pacedAt, now } = params;
  const open = Math.floor(((now - pacedAt) / 1_000) * rate);
  return Math.max(0, Math.min(rate, open));
}

/** Up to when the rate is used up by `taken` more, Unix milliseconds: what was left unused for over a second is lost. */
export function pacedAfter(params: {
  readonly rate: number;
  readonly pacedAt: number;
  readonly now: number;
  readonly taken: number;
}): number {
  const { rate, pacedAt, now, taken } = params;
  return Math.max(pacedAt, now - 1_000) + (taken / rate) * 1_000;
}
