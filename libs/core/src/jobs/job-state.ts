/** Every state a job can be in; the table below is the only place that says how it gets from one to the next. */
export const JOB_STATES = [
  'scheduled',
  'blocked',
  'queued',
  'parked',
  'running',
  'retrying',
  'cancelling',
  'succeeded',
  'dead',
  'cancelled',
  'expired',
] as const;

/** A state of a job. */
export type JobState = (typeof JOB_STATES)[number];

/** The states that end a job; the first one it reaches wins. */
export const TERMINAL_STATES = [
  'succeeded',
  'dead',
  'cancelled',
  'expired',
] as const satisfies readonly JobState[];
/** A state that ends a job. */
export type TerminalState = (typeof TERMINAL_STATES)[number];

/** The states of a job that has not begun its next attempt, so that it can still be cancelled outright. */
export const NOT_BEGUN_STATES = [
  'scheduled',
  'blocked',
  'queued',
  'parked',
  'retrying',
] as const satisfies readonly JobState[];

const TABLE: Readonly<Record<JobState, readonly JobState[]>> = {
  blocked: ['queued', 'cancelled'],
  scheduled: ['queued', 'cancelled', 'expired'],
  queued: ['running', 'parked', 'scheduled', 'cancelled', 'expired', 'dead'],
  parked: ['queued', 'running', 'scheduled', 'cancelled', 'expired', 'dead'],
  running: ['succeeded', 'retrying', 'dead', 'cancelling', 'cancelled', 'queued'],
  retrying: ['queued', 'running', 'parked', 'cancelled', 'expired', 'dead'],
  cancelling: ['cancelled', 'succeeded', 'dead'],
  succeeded: [],
  dead: [],
  cancelled: [],
  expired: [],
};

/** Whether a job in this state is over. */
export function isTerminal(state: JobState): state is TerminalState {
  return TABLE[state].length === 0;
}

/** Whether the table has the arrow `from` -> `to`. */
export function canGo(from: JobState, to: JobState): boolean {
  return TABLE[from].includes(to);
}

/**
 * Whether `to` can be reached when the steps between may have been missed: a later event implies what came before it
 * (an outcome implies its start, a fired timer implies `queued`).
 */
export function canReach(from: JobState, to: JobState): boolean {
  const seen = new Set<JobState>();
  const next: JobState[] = [...TABLE[from]];
  for (let state = next.pop(); state !== undefined; state = next.pop()) {
    if (state === to) return true;
    if (seen.has(state)) continue;
    seen.add(state);
    next.push(...TABLE[state]);
  }
  return false;
}
