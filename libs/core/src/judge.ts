import type { Position } from './envelope.ts';
import { isTerminal, type JobState } from './job-state.ts';
import { orderOf, PHASES } from './order.ts';
import { MAX_LOSSES } from './policy.ts';
import type { Next } from './retry.ts';

/** A worker's question about one suspect message: has this job been settled, is it running, or neither? */
export interface DoubtQuestion extends Position {
  readonly job: string;
  /** The worker that asks; it does not run the job, or it would not ask. */
  readonly worker: string;
}

/** What history knows of the job in question. */
export interface KnownJob extends Position {
  readonly state: JobState;
  /** How often a worker vanished with it. */
  readonly losses: number;
  /** The worker that runs it, as far as history knows. */
  readonly worker?: string;
  /** What follows its last settled attempt. */
  readonly next?: Next;
  /** Somebody wants it cancelled; where nobody runs it, it is not begun any more, but ended by whoever answers. */
  readonly isCancelled?: boolean;
  /** `orderOf` the message that a later time or another lane was given by hand: those before it are void. */
  readonly movedBelow?: number;
}

/** What was found out about the workers, beside history. */
export interface Holders {
  /** Whether this worker has been heard of within ack_wait and has not said that it stopped. */
  readonly alive: (worker: string) => boolean;
  /** Live workers (other than by the message in question) that say they hold the job, or have not answered. */
  readonly held: boolean;
}

/** The answer to a doubt. */
export type DoubtAnswer =
  /** Neither settled nor running: run it as this run, and store its start first. */
  | { readonly answer: 'free'; readonly run: number; readonly losses: number }
  /** Somebody may be running it: hold the message back for a moment and ask again. */
  | { readonly answer: 'held' }
  /** This step is done: repeat what should have followed run `run`, if anything, and acknowledge. */
  | { readonly answer: 'settled'; readonly next?: Next; readonly run?: number }
  /** It took its workers down too often: dead. */
  | { readonly answer: 'exhausted'; readonly losses: number };

/**
 * Answers one doubt. The caller has read EVENTS to its end before it looked into history, and keeps the job's row locked
 * until a `free` is noted there, so that of two askers one gets it.
 */
export function judge(question: DoubtQuestion, known: KnownJob | undefined, holders: Holders): DoubtAnswer {
  if (known === undefined)
    return holders.held ? { answer: 'held' } : { answer: 'free', run: question.run, losses: 0 };
  if (isTerminal(known.state)) return settled(known);
  if (question.attempt < known.attempt || isVoid(question, known)) return { answer: 'settled' };
  if (question.attempt === known.attempt) {
    // The attempt failed or was snoozed, and the message in question is the one it came from.
    if (known.state === 'retrying' && (question.run <= known.run || hasFailed(known))) return settled(known);
    // It was parked from this message; the one that is parked counts one more.
    if (question.parks < known.parks) return { answer: 'settled' };
  }
  if (holders.held) return { answer: 'held' };
  if (!isBegun(known) || question.attempt > known.attempt) {
    const run = question.attempt === known.attempt ? Math.max(question.run, known.run) : question.run;
    return { answer: 'free', run, losses: known.losses };
  }
  return ofRunning(question, known, holders);
}

/** The job was moved to another time or lane since. */
function isVoid(question: DoubtQuestion, { movedBelow }: KnownJob): boolean {
  return movedBelow !== undefined && orderOf(question, PHASES.queued) < movedBelow;
}

function isBegun({ state }: KnownJob): boolean {
  return state === 'running' || state === 'cancelling';
}

function ofRunning(question: DoubtQuestion, known: KnownJob, holders: Holders): DoubtAnswer {
  // It was granted to the asker before, and the answer got lost on the way: still the same run.
  if (known.worker === question.worker) return { answer: 'free', run: known.run, losses: known.losses };
  if (known.worker !== undefined && holders.alive(known.worker)) return { answer: 'held' };
  const losses = known.losses + 1;
  return losses > MAX_LOSSES
    ? { answer: 'exhausted', losses }
    : { answer: 'free', run: known.run + 1, losses };
}

/** Of two lineages of one job (a worker believed dead came back) the slower one must not repeat an attempt that has failed. */
function hasFailed({ attempt, next }: KnownJob): boolean {
  return next?.state === 'retrying' && next.attempt > attempt;
}

function settled(known: KnownJob): DoubtAnswer {
  return known.next ? { answer: 'settled', next: known.next, run: known.run } : { answer: 'settled' };
}
