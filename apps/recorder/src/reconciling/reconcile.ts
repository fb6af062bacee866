import {
  decideReconcile,
  type Findings,
  needsLook,
  type OpenJob,
  publishedEvent,
  type ReconcileDecision,
  type ReconcileMarks,
} from '@jetbeat/core';
import type { Bus, CancelledKeys, EventPublisher, Log, TellWithin } from '@jetbeat/jetstream';
import {
  type Database,
  databaseTime,
  noteReconcile,
  type ReconcileCandidate,
  type ReconcileNote,
  reconcileCandidates,
} from '@jetbeat/postgres';
import type { Misplaced } from '../releasing/release-misplaced.ts';
import type { GiveUp } from './give-up.ts';
import { inGroups, lookUp } from './look-up.ts';
import { type Republished, republish } from './republish.ts';
import { type FactsOf, streamEnds, streamFacts } from './stream-facts.ts';
import type { Publish } from './trace-republish.ts';
import { dropVoid } from './void-messages.ts';
import type { StreamWatch } from './watch-stream.ts';

/** What reconciling needs. Times in milliseconds. */
export interface ReconcileParams {
  readonly db: Database;
  readonly bus: Bus;
  /** Publishes what is missing. */
  readonly publish: Publish;
  readonly events: EventPublisher;
  readonly tell: TellWithin;
  readonly giveUp: GiveUp;
  /** Puts back what lies in parking places unknown to history; what it could not is found again. */
  readonly releaseMisplaced: TellWithin<Misplaced>;
  /** Tells every worker that messages of a job are void. */
  readonly cancelled: Pick<CancelledKeys, 'move'>;
  readonly log: Log;
  readonly ackWaitMs: number;
  readonly unpublishedAfterMs: number;
  /** There is no room for new jobs: what was never published waits on in PostgreSQL. */
  readonly full: boolean;
  /** Jobs in one pass. */
  readonly limit: number;
  readonly streamWatch: StreamWatch;
}

/** What a pass did. */
export interface Reconciled {
  readonly looked: number;
  readonly republished: number;
}

/** What a look at one job came to. */
interface Look {
  readonly candidate: ReconcileCandidate;
  readonly decision: ReconcileDecision;
  readonly findings?: Findings;
}

/** Jobs looked up at the same time. */
const GROUP = 16;
/** How soon a job whose loss is suspected is looked at again, in milliseconds. */
const AGAIN_MS = 2_000;

/**
 * Looks after open jobs of which nothing is heard: those long past their time, and those committed without a publish.
 * What is missing in JetStream is noted first, and published again only when it can be nowhere else. Replicas may do
 * this at the same time: the publish has one id, and the worker that gets it asks whether the job was settled.
 */
export async function reconcile(params: ReconcileParams): Promise<Reconciled> {
  const {
    db,
    bus,
    tell,
    releaseMisplaced,
    cancelled,
    streamWatch,
    ackWaitMs,
    unpublishedAfterMs,
    full,
    limit,
  } = params;
  await streamWatch.look();
  const now = await databaseTime(db);
  const dueBefore = now - 2 * ackWaitMs;
  const found = await reconcileCandidates(db, {
    now,
    dueBefore,
    unpublishedBefore: now - unpublishedAfterMs,
    limit,
  });
  const candidates = full ? found.filter(({ cause }) => cause !== 'unpublished') : found;
  if (candidates.length === 0) return { looked: 0, republished: 0 };

  const lanes = candidates.map(({ job }) => job);
  const factsOf = await streamFacts(bus, lanes);
  const looks = await inGroups(candidates, GROUP, (candidate) => look(bus, factsOf, candidate));
  // Read after the look-ups: a timer that was not there any more has fired into what these ends include.
  const ends = await streamEnds(bus);
  const republished = await republish(
    { ...params, drop: (job) => dropVoid({ bus, cancelled }, job) },
    looks.filter(({ decision }) => decision === 'republish').map(({ candidate }) => candidate),
  );
  // No candidate is parked as far as history knows, so nobody else would ever look there.
  const misplaced = looks.filter(({ findings }) => findings?.parked).map(({ candidate }) => candidate.job);
  const held = (await releaseMisplaced(misplaced)) ? new Set(misplaced) : undefined;
  const untold = looks.filter((one) => isUntold(one, republished));
  const why = await tell(untold.map(({ candidate: { job } }) => publishedEvent(job, job.traceId)));
  const late = new Set(why ? untold : []);
  const again = dueBefore + Math.min(AGAIN_MS, ackWaitMs);
  await noteReconcile(
    db,
    looks.map((one) => {
      const isHeld = held?.has(one.candidate.job) === true;
      return noteOf(one, { now, again, ends, republished, isHeld, isLate: late.has(one) });
    }),
  );
  return { looked: candidates.length, republished: republished.length };
}

async function look(bus: Bus, factsOf: FactsOf, candidate: ReconcileCandidate): Promise<Look> {
  const facts = factsOf(candidate.job);
  const open = openJob(candidate);
  if (!needsLook(open, facts)) return { candidate, decision: 'wait' };
  const findings: Findings = await lookUp(bus, candidate.job);
  const decision = isMoving(candidate) ? 'note' : decideReconcile(open, facts, findings);
  return { candidate, decision, findings };
}

/** Whoever moves a job publishes it in a moment: only what was seen so before is left to a recorder. */
function isMoving({ cause, job, reconcileSeq }: ReconcileCandidate): boolean {
  return cause === 'unpublished' && job.movedBelow !== undefined && reconcileSeq === undefined;
}

/** Whether those who follow what happens may not have been told of a job that is in JetStream: whoever publishes tells first, and notes then. */
function isUntold(one: Look, republished: readonly Republished[]): boolean {
  const { cause, job } = one.candidate;
  const { id, state, attempt, run, parks, movedBelow } = job;
  if (cause !== 'unpublished' || movedBelow !== undefined) return false;
  const isNew = (state === 'queued' || state === 'scheduled') && attempt === 1 && run === 1 && parks === 0;
  return isNew && (isThere(one) || republished.some((again) => again.id === id));
}

/** Whether a job is in JetStream: it was found, or nobody has handed out yet what is known to be at its place. */
function isThere({ candidate, findings }: Look): boolean {
  if (findings) return findings.message || findings.timer || findings.parked;
  return isPlaced(candidate);
}

/** Whether whoever published a job has noted its place; one that is moved since has another. */
function isPlaced({ job }: ReconcileCandidate): boolean {
  return job.seq !== undefined && job.movedBelow === undefined;
}

function openJob(candidate: ReconcileCandidate): OpenJob {
  const { job, cause, reconcileSeq, reconcileEventsSeq } = candidate;
  const noted = reconcileSeq !== undefined && reconcileEventsSeq !== undefined;
  return {
    published: cause !== 'unpublished' || isPlaced(candidate),
    seq: job.seq,
    note: noted ? { jobsSeq: reconcileSeq, eventsSeq: reconcileEventsSeq } : undefined,
  };
}

function noteOf(
  look: Look,
  known: {
    now: number;
    again: number;
    ends: ReconcileMarks;
    republished: readonly Republished[];
    /** It lies in a parking place still. */
    isHeld: boolean;
    isLate: boolean;
  },
): ReconcileNote {
  const { candidate, decision } = look;
  const { id, order } = candidate.job;
  const { now, again, ends, republished, isHeld, isLate } = known;
  // One that is still to be told of comes again in the next pass; where it is it need not be looked for then.
  const untold = isLate ? { untold: true as const } : {};
  const marks = { reconcileSeq: ends.jobsSeq, reconcileEventsSeq: ends.eventsSeq };
  if (decision === 'note') return { id, order, checkAt: again, ...marks };
  const { reconcileSeq, reconcileEventsSeq } = candidate;
  const kept = {
    ...(reconcileSeq === undefined ? {} : { reconcileSeq }),
    ...(reconcileEventsSeq === undefined ? {} : { reconcileEventsSeq }),
  };
  if (isThere(look)) return { id, order, checkAt: isHeld ? again : now, ...kept, published: untold };
  const done = republished.find((one) => one.id === id);
  if (!done) return { id, order, checkAt: now, ...kept };
  // A new message begins anew: it is not lost before these ends have passed.
  const published = done.seq === undefined ? untold : { seq: done.seq, ...untold };
  return { id, order, checkAt: now, ...marks, published };
}
