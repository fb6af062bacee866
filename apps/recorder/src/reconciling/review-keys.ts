import { type KeyReview, reassertKey, reviewKey } from '@jetbeat/core';
import {
  applyReview,
  type Bus,
  type EndTeller,
  endReplaced,
  HistoryBehindError,
  type ListedNote,
  listNotes,
  noteOf,
  readToEnd,
} from '@jetbeat/jetstream';
import {
  type Database,
  databaseTime,
  type KeyedState,
  keyedStates,
  type OpenKeyedJob,
  openKeyedJobs,
} from '@jetbeat/postgres';
import { inGroups } from './look-up.ts';

/** What looking after unique keys needs. Times in milliseconds. */
export interface KeysParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly events: EndTeller;
  /** A job that history does not know so long after its key was noted was never stored. */
  readonly unknownAfterMs: number;
  /** How long history may take to catch up. */
  readonly readToEndMs: number;
  /** Notes, or jobs, in one pass. */
  readonly limit: number;
}

/** Looks after unique keys. */
export interface KeyWatch {
  /** Notes may have been forgotten, with the server or by it: those of open jobs are noted again. */
  want(): void;
  /** Looks at some notes, one pass after the other at all of them. Returns how many were changed, and whether there are more. */
  review(): Promise<{ readonly changed: number; readonly more: boolean }>;
  /** While it is wanted: notes the keys of some open jobs again. Returns 0 when there are more. */
  reassert(): Promise<number | undefined>;
}

/** Calls under way at the same time. */
const GROUP = 16;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/** Makes it. Replicas may do this at the same time: whoever changes a note names the revision that it has seen. */
export function createKeyWatch(params: KeysParams): KeyWatch {
  const { db, limit } = params;
  let from = 1;
  let after: string | undefined;
  let again = false;
  return {
    want() {
      if (after === undefined) after = FIRST_ID;
      else again = true;
    },
    async review() {
      const { notes, next } = await listNotes(params.bus, { from, limit });
      // Before anything can fail: a note that always does must not keep the pass from those behind it.
      from = next ?? 1;
      const changed = await reviewNotes(params, notes);
      return { changed, more: next !== undefined };
    },
    async reassert() {
      if (after === undefined) return undefined;
      const jobs = await openKeyedJobs(db, { after, limit });
      await reassertKeys(params, jobs);
      if (jobs.length === limit) after = jobs.at(-1)?.id;
      else {
        after = again ? FIRST_ID : undefined;
        again = false;
      }
      return after === undefined ? undefined : 0;
    },
  };
}

/** Frees what nobody holds any more, and finishes what somebody has begun who died. */
async function reviewNotes(params: KeysParams, notes: readonly ListedNote[]): Promise<number> {
  const { db, unknownAfterMs } = params;
  if (notes.length === 0) return 0;
  const now = await databaseTime(db);
  const reviewAll = (states: Map<string, KeyedState>) =>
    notes.flatMap((listed) => {
      const { note, time } = listed;
      const known = states.get(note.holder.id);
      const review = reviewKey({ note, known, age: now - time, unknownAfter: unknownAfterMs, now });
      return review.do === 'keep' ? [] : [{ listed, review, unknown: known === undefined }];
    });
  const ids = notes.map(({ note }) => note.holder.id);
  let found = reviewAll(await keyedStates(db, ids));
  if (found.some(({ unknown }) => unknown)) {
    // What is not known may only not be recorded yet.
    const caughtUp = await isCaughtUp(params);
    found = reviewAll(await keyedStates(db, ids)).filter(({ unknown }) => caughtUp || !unknown);
  }
  const failures: unknown[] = [];
  const done = await inGroups(found, GROUP, async ({ listed, review }) => {
    try {
      return await carryOut(params, listed, review, now);
    } catch (error) {
      failures.push(error);
      return false;
    }
  });
  if (failures.length > 0) throw failures[0];
  return done.filter(Boolean).length;
}

async function isCaughtUp({ bus, readToEndMs }: KeysParams): Promise<boolean> {
  try {
    await readToEnd({ bus, timeoutMs: readToEndMs });
    return true;
  } catch (error) {
    if (error instanceof HistoryBehindError) return false;
    throw error;
  }
}

async function carryOut(
  { bus, events }: KeysParams,
  listed: ListedNote,
  review: Exclude<KeyReview, { do: 'keep' }>,
  now: number,
): Promise<boolean> {
  // First what is to be done, then the note of it, so that a crash in between does it once more.
  if (review.do === 'clear')
    await endReplaced(bus, events, { replaced: review.cleared, by: listed.note.holder.id, now });
  return applyReview(bus, listed, review);
}

/**
 * Notes keys again that were lost. What somebody has done on purpose in the meantime is in history before his note is complete:
 * so the notes are read first, then history to its end, and only then the jobs.
 */
async function reassertKeys(params: KeysParams, jobs: readonly OpenKeyedJob[]): Promise<void> {
  const { db, bus, readToEndMs } = params;
  if (jobs.length === 0) return;
  const notes = await inGroups(jobs, GROUP, (job) => noteOf(bus, job));
  await readToEnd({ bus, timeoutMs: readToEndMs });
  const states = await keyedStates(
    db,
    jobs.map(({ id }) => id),
  );
  const writes = jobs.flatMap((job, index) => {
    const stored = notes[index];
    const known = states.get(job.id);
    if (!stored || !known) return [];
    const { unique, state: _state, run: _run, ...holder } = job;
    const note = reassertKey({ note: stored.note, unique, job: holder, known });
    return note ? [{ stored, note }] : [];
  });
  await inGroups(writes, GROUP, ({ stored, note }) => applyReview(bus, stored, { do: 'write', note }));
}
