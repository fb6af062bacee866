import { MAX_LOSSES } from '../policy/policy.ts';
import type { Next } from '../policy/retry.ts';
import type { Position } from './envelope.ts';
import { isTerminal, type JobState } from './job-state.ts';
import { orderOf, PHASES } from './order.ts';

/** A worker's question about one suspect message: has this job been settled, is it running, or neither? */
export interface DoubtQuestion extends Position {
  readonly job: string;
  /** The worker that asks; it does not run the job, or it would not ask. */
  readonly worker: string;
  /** Nobody else can have begun this step without a question (`isFresh` of what was delivered). */
  readonly isFresh?: boolean;
}

/** What history knows of the job in question. */
export interface KnownJob extends Position {
  readonly state: JobState;
  /** How often a worker vanished with it. */
  readonly losses: number;
  /** The worker that runs it, as far as history knows. */
  readonly worker?: string;
  /** Where it counts as waiting: workers that have begun this attempt of it, and have never said how that ended. */
  readonly open?: readonly string[];
  /** What follows its last settled attempt. */
  readonly next?: Next;
  /** The last that was heard of it is that a worker gave it back. */
  readonly isGivenBack?: boolean;
  /** Somebody wants it cancelled; where nobody runs it, it is not begun any more, but ended by whoever answers. */
  readonly isCancelled?: boolean;
  /** `orderOf` the message that a later time or another lane was given by hand: those before it are void. */
  readonly movedBelow?: number;
}

/** What was found out about the workers, beside history. */
export interface Holders {
  /** Whether this worker has been heard of within ack_wait and has not said that it stopped. */
  readonly alive: (worker: string) => boolean;
  /** Live workers (other than by the message in question) that say they hold the job, or may and have not answered (`mayHold`). */
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
  if (question.attempt > known.attempt) return { answer: 'free', run: question.run, losses: known.losses };
  // What the asker has begun it does not run, or it would not ask; or it was granted to it before, and the answer got lost on the way.
  const others = begunBy(known).filter((worker) => worker !== question.worker);
  if (others.some((worker) => worker !== undefined && holders.alive(worker))) return { answer: 'held' };
  if (others.length > 0) return afterLoss(known);
  return { answer: 'free', run: Math.max(question.run, known.run), losses: known.losses };
}

/** The job was moved to another time or lane since. */
function isVoid(question: DoubtQuestion, { movedBelow }: KnownJob): boolean {
  return movedBelow !== undefined && orderOf(question, PHASES.queued) < movedBelow;
}

/** By whom this attempt was begun, with no word of how it ended: that somebody parked the job, since nobody answered doubts, is none. */
function begunBy({ state, worker, open = [] }: KnownJob): readonly (string | undefined)[] {
  return state === 'running' || state === 'cancelling' ? [worker] : open;
}

function afterLoss(known: KnownJob): DoubtAnswer {
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
