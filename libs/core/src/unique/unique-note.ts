import { isUuid } from '../ids.ts';
import type { JobEnvelope, Priority } from '../jobs/envelope.ts';
import type { UniqueAsk, UniqueMode, UniqueRef } from './unique.ts';

/** A job as the note of a key knows it. Times in Unix milliseconds. */
export interface KeyHolder {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: Priority;
  readonly createdAt: number;
  readonly runAt: number;
  /** Where it stands, when it waits for another run than its first: number of the attempt, and ordinal of the run. */
  readonly attempt?: number;
  readonly run?: number;
  /** Among those whose place is taken: it has come to wait again when the holder was there already. */
  readonly again?: true;
}

/** Who has a key. There is at most one note of each; whoever changes it names the revision that it has seen. */
export interface KeyNote {
  readonly v: 1;
  readonly key: string;
  readonly mode: UniqueMode;
  readonly holder: KeyHolder;
  /** A run of the holder has begun: its place is taken no more. */
  readonly begun?: true;
  /** For a period: when it is over, Unix milliseconds. */
  readonly until?: number;
  /** For `debounce`: when the first of the calls that put the job off came, Unix milliseconds. */
  readonly since?: number;
  /** For a period: history has known the holder, and may forget it before the period is over. */
  readonly known?: true;
  /**
   * The jobs whose place the holder takes, the last one last. They are here until the holder is stored and they are
   * cleared away: until then they are not lost, and do not run.
   */
  readonly replaces?: readonly KeyHolder[];
}

/** Takes that may follow one another without one of them being stored; more are answered with the holder. */
const MAX_REPLACES = 64;

/** What becomes of a call. Without a `note` there is nothing to write. */
export type TakeDecision =
  | { readonly answer: 'existing'; readonly note: KeyNote }
  | { readonly answer: 'own'; readonly note: KeyNote }
  | { readonly answer: 'created' | 'replaced'; readonly write: KeyNote };

/** The part of a job that the note of its key holds. */
export function holderOf(job: JobEnvelope): KeyHolder {
  const { id, task, queue, priority, createdAt, runAt } = job;
  return { id, task, queue, priority, createdAt, runAt };
}

/**
 * Decides what becomes of a call that asks for a key.
 * @param params.over a holder that is known to be over, though nobody has released its key yet
 * @param params.now Unix milliseconds
 */
export function decideTake(params: {
  readonly note: KeyNote | undefined;
  readonly ask: UniqueAsk;
  readonly job: KeyHolder;
  readonly now: number;
  readonly over?: string | undefined;
}): TakeDecision {
  const { note, ask, job, now, over } = params;
  const { key, mode, forMs, onConflict } = ask;
  if (mode === 'debounce') return putOff(params);
  const made: KeyNote = {
    v: 1,
    key,
    mode,
    holder: job,
    ...(forMs === undefined ? {} : { until: now + forMs }),
  };
  if (!note || isPast(note, now)) return { answer: 'created', write: made };
  if (note.holder.id === job.id) return { answer: 'own', note };
  const replaces = note.replaces ?? [];
  if (note.until === undefined && note.holder.id === over)
    return { answer: 'created', write: replaces.length === 0 ? made : { ...made, replaces } };
  const held = note.until !== undefined || note.begun === true || replaces.length >= MAX_REPLACES;
  if (onConflict === 'existing' || held) return { answer: 'existing', note };
  return { answer: 'replaced', write: { ...made, replaces: [...replaces, note.holder] } };
}

/**
 * A call puts off what waits for its time, and takes its place; what has come to its time is let go, and runs beside. Otherwise calls
 * without end would keep a job from ever being the first of its queue.
 */
function putOff({ note, ask, job, now, over }: Parameters<typeof decideTake>[0]): TakeDecision {
  const { key, mode, maxWaitMs = Number.POSITIVE_INFINITY } = ask;
  if (note?.holder.id === job.id) return { answer: 'own', note };
  const replaces = note?.replaces ?? [];
  const waits = note !== undefined && note.holder.runAt > now && note.holder.id !== over;
  if (waits && replaces.length >= MAX_REPLACES) return { answer: 'existing', note };
  const since = (waits ? note.since : undefined) ?? now;
  const holder = { ...job, runAt: Math.min(job.runAt, since + maxWaitMs) };
  const taken = waits ? [...replaces, note.holder] : replaces;
  const write: KeyNote = {
    v: 1,
    key,
    mode,
    holder,
    since,
    ...(taken.length === 0 ? {} : { replaces: taken }),
  };
  return { answer: waits ? 'replaced' : 'created', write };
}

/** Whether the period of a note is over. */
export function isPast({ until }: KeyNote, now: number): boolean {
  return until !== undefined && until <= now;
}

/** What a worker does before a run of a job that has a key. `cleared`: jobs whose place it takes, to be cleared away. */
export type ClaimDecision =
  | { readonly do: 'go' }
  | { readonly do: 'write'; readonly note: KeyNote; readonly cleared: readonly KeyHolder[] }
  | { readonly do: 'remove'; readonly cleared: readonly KeyHolder[] }
  /** Somebody takes this job's place, and it is not certain yet that his job is stored. */
  | { readonly do: 'wait' }
  /** The key is another job's now, so this one must not run. */
  | { readonly do: 'yield'; readonly to: string };

/** Whether a run of a job with such a key asks for it; a period counts calls, and concerns no run. */
export function claims({ mode }: UniqueRef): boolean {
  return mode === 'unfinished' || untilBegun(mode);
}

/** Whether a key is held until a run begins. */
export function untilBegun(mode: UniqueMode): boolean {
  return mode === 'queued' || mode === 'debounce' || mode === 'last';
}

/** Decides whether a run may begin. The note is the one place that says which of two jobs with the same key may. */
export function decideClaim(params: {
  readonly note: KeyNote | undefined;
  readonly unique: UniqueRef;
  readonly job: KeyHolder;
  /** Ordinal of the run. */
  readonly run: number;
  readonly now: number;
}): ClaimDecision {
  const { unique, job, run, now } = params;
  const note = params.note && !isPast(params.note, now) ? params.note : undefined;
  const { key, mode } = unique;
  if (!note) {
    if (untilBegun(mode)) return { do: 'go' };
    return { do: 'write', note: { v: 1, key, mode, holder: job, begun: true }, cleared: [] };
  }
  if (note.holder.id !== job.id) {
    const gives = note.replaces?.some(({ id }) => id === job.id) === true;
    // A job that was begun before holds its key no more, and runs on; where the last is kept, unless it has come to wait again.
    if (untilBegun(mode) && run > 1 && !(mode === 'last' && gives)) return { do: 'go' };
    // Its time had come before the first call that the note knows of.
    if (note.since !== undefined && job.runAt <= note.since) return { do: 'go' };
    if (gives) return { do: 'wait' };
    return { do: 'yield', to: note.holder.id };
  }
  const { replaces: cleared = [], ...rest } = note;
  if (untilBegun(mode)) return { do: 'remove', cleared };
  if (note.begun && cleared.length === 0) return { do: 'go' };
  return { do: 'write', note: { ...rest, begun: true }, cleared };
}

/**
 * Decides what to note when a job of which the last is kept has run, and waits again: whoever calls next takes its place, and where
 * somebody waits already, it gives him its place. Until he is stored it is not lost.
 * @param params.job with its next position
 * @returns what to write; undefined: nothing
 */
export function decideWaiting(params: {
  readonly note: KeyNote | undefined;
  readonly unique: UniqueRef;
  readonly job: KeyHolder;
}): KeyNote | undefined {
  const { note, unique, job } = params;
  if (!note) return { v: 1, key: unique.key, mode: unique.mode, holder: job };
  if (note.holder.id === job.id) return note.holder.run === job.run ? undefined : { ...note, holder: job };
  const { replaces = [] } = note;
  if (replaces.length >= MAX_REPLACES || replaces.some(({ id }) => id === job.id)) return undefined;
  return { ...note, replaces: [{ ...job, again: true }, ...replaces] };
}

/**
 * The note when its holder has ended without a run: the key goes back to whoever has come to wait again behind it, and was not
 * replaced by anybody. Undefined: there is none.
 */
export function leftBehind({ replaces = [], ...rest }: KeyNote): KeyNote | undefined {
  const behind = replaces.find(({ again }) => again);
  return behind && { ...rest, holder: waiting(behind) };
}

function waiting({ again: _again, ...holder }: KeyHolder): KeyHolder {
  return holder;
}

/** Whether the end of this job frees the key. */
export function frees(note: KeyNote | undefined, id: string): boolean {
  return note !== undefined && note.holder.id === id && note.until === undefined;
}

/** A job that was not stored gives its key back: to the job whose place it would have taken, or to nobody. */
export function giveBack(note: KeyNote | undefined, id: string): KeyNote | 'remove' | 'keep' {
  if (note?.holder.id !== id) return 'keep';
  const { until: _until, known: _known, begun: _begun, replaces = [], ...rest } = note;
  const last = replaces.at(-1);
  if (!last) return 'remove';
  const left = replaces.slice(0, -1);
  return { ...rest, holder: waiting(last), ...(left.length === 0 ? {} : { replaces: left }) };
}

/** Reads a note; undefined for what this version does not write. */
export function readKeyNote(text: string): KeyNote | undefined {
  try {
    const note = JSON.parse(text) as Partial<KeyNote> | null;
    return note?.v === 1 && isUuid(note.holder?.id) && typeof note.mode === 'string'
      ? (note as KeyNote)
      : undefined;
  } catch {
    return undefined;
  }
}
