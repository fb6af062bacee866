import { isTerminal, type JobState } from '../jobs/job-state.ts';
import type { UniqueRef } from './unique.ts';
import {
  claims,
  giveBack,
  isPast,
  type KeyHolder,
  type KeyNote,
  leftBehind,
  untilBegun,
} from './unique-note.ts';

/** What history knows of a job that has a key. */
export interface KnownHolder {
  readonly state: JobState;
  /** Ordinal of its last run. */
  readonly run: number;
}

/** Whether a run of a job has begun: its first one, or this one. */
function hasBegun({ state, run }: KnownHolder, waited = 1): boolean {
  if (run !== waited) return run > waited;
  return state === 'running' || state === 'cancelling' || state === 'retrying';
}

/** What the recorder does about a note. */
export type KeyReview =
  | { readonly do: 'keep' }
  | { readonly do: 'remove' }
  | { readonly do: 'write'; readonly note: KeyNote }
  /** The holder is stored: what it replaces is cleared away. */
  | { readonly do: 'clear'; readonly cleared: readonly KeyHolder[]; readonly note: KeyNote };

/**
 * Decides about a note by what history knows of its holder.
 * @param params.known undefined: history, read to its end, does not know the holder
 * @param params.age since the note was written, in milliseconds
 * @param params.unknownAfter a job that nobody has heard of for so long was never stored, in milliseconds
 */
export function reviewKey(params: {
  readonly note: KeyNote;
  readonly known: KnownHolder | undefined;
  readonly age: number;
  readonly unknownAfter: number;
  readonly now: number;
}): KeyReview {
  const { note, known, age, unknownAfter, now } = params;
  if (isPast(note, now)) return { do: 'remove' };
  if (known === undefined) {
    if (age < unknownAfter || note.known) return { do: 'keep' };
    const back = giveBack(note, note.holder.id);
    return typeof back === 'object' ? { do: 'write', note: back } : { do: 'remove' };
  }
  if (note.until !== undefined)
    return note.known ? { do: 'keep' } : { do: 'write', note: { ...note, known: true } };
  const cleared = clearing(note, known.state);
  if (cleared) return cleared;
  if (isTerminal(known.state)) return { do: 'remove' };
  if (!hasBegun(known, note.holder.run) || note.begun) return { do: 'keep' };
  return untilBegun(note.mode) ? { do: 'remove' } : { do: 'write', note: { ...note, begun: true } };
}

/** What becomes of those whose place the holder takes, who is stored: he has it, unless he has ended without a run. */
function clearing(note: KeyNote, state: JobState): KeyReview | undefined {
  const { replaces: cleared, ...rest } = note;
  if (!cleared) return undefined;
  const left = isTerminal(state) && state !== 'succeeded' ? leftBehind(note) : undefined;
  if (!left) return { do: 'clear', cleared, note: rest };
  return { do: 'clear', cleared: cleared.filter(({ id }) => id !== left.holder.id), note: left };
}

/**
 * Decides about the key of a job that is open in history, after the notes may have been harmed: what was forgotten is noted
 * again, and a job that got the key meanwhile gives way as long as no run of it has begun.
 * @returns what to write; undefined: nothing
 */
export function reassertKey(params: {
  readonly note: KeyNote | undefined;
  readonly unique: UniqueRef;
  readonly job: KeyHolder;
  readonly known: KnownHolder;
}): KeyNote | undefined {
  const { note, unique, job, known } = params;
  const begun = hasBegun(known);
  if (!claims(unique) || (untilBegun(unique.mode) && begun)) return undefined;
  const { key, mode } = unique;
  const own: KeyNote = { v: 1, key, mode, holder: job, ...(begun ? { begun: true } : {}) };
  if (!note) return own;
  if (note.holder.id === job.id || note.begun || note.until !== undefined) return undefined;
  // Whoever takes another job's place on purpose has noted so, and who came first is the one that is known.
  return note.replaces || note.holder.createdAt <= job.createdAt ? undefined : own;
}
