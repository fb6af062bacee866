import { isTerminal, JOB_STATES, type JobState, type Reason, type StoredError } from '@jetbeat/core';

/** What is said of a job to whoever waits for its end. */
export interface JobEnding {
  /** Absent: history has not heard of the job yet. */
  readonly state?: JobState;
  readonly task?: string;
  readonly result?: unknown;
  readonly error?: StoredError | undefined;
  readonly reason?: Reason | undefined;
  /** The recorder keeps as many askers as it may: it answers at once, and wants to be left alone for so long. */
  readonly againMs?: number;
}

const decoder = new TextDecoder();

/** Whether the job is over. */
export function isOver(ending: JobEnding | undefined): boolean {
  return ending?.state !== undefined && isTerminal(ending.state);
}

/** Reads what somebody said; undefined for what is no such message. */
export function readEnding(data: Uint8Array): (JobEnding & { readonly id?: unknown }) | undefined {
  try {
    const ending = JSON.parse(decoder.decode(data)) as JobEnding | null;
    if (typeof ending !== 'object' || ending === null) return undefined;
    return ending.state === undefined || JOB_STATES.includes(ending.state) ? ending : undefined;
  } catch {
    return undefined;
  }
}
