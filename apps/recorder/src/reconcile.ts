import {
  decideReconcile,
  type Findings,
  needsLook,
  type OpenJob,
  publishedEvent,
  type ReconcileDecision,
  type ReconcileMarks,
} from '@jetbeat/core';
import {
  type Bus,
  type CancelledKeys,
  type EventPublisher,
  type Log,
  tellPublished,
} from '@jetbeat/jetstream';
import {
  type Database,
  databaseTime,
  noteReconcile,
  type ReconcileCandidate,
  type ReconcileNote,
  reconcileCandidates,
} from '@jetbeat/postgres';
import { inGroups, lookUp } from './look-up.ts';
import { releaseMisplaced } from './release.ts';
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
  const { db, bus, events, cancelled, streamWatch, ackWaitMs, unpublishedAfterMs, full, limit } = params;
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
  if (misplaced.length > 0) await releaseMisplaced({ bus, events, now }, misplaced);
  await tellPublished(
    events,
    looks
      .filter((one) => isUntold(one, republished))
      .map(({ candidate: { job } }) => publishedEvent(job, job.traceId)),
  );
  const again = dueBefore + Math.min(AGAIN_MS, ackWaitMs);
  await noteReconcile(
    db,
    looks.map((one) => noteOf(one, { now, again, ends, republished })),
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
function isUntold({ candidate, findings }: Look, republished: readonly Republished[]): boolean {
  const { cause, job } = candidate;
  const { id, state, attempt, run, parks, movedBelow } = job;
  if (cause !== 'unpublished' || movedBelow !== undefined) return false;
  const isNew = (state === 'queued' || state === 'scheduled') && attempt === 1 && run === 1 && parks === 0;
  return isNew && (isFound(findings) || republished.some((one) => one.id === id));
}

function isFound(findings: Findings | undefined): boolean {
  return findings !== undefined && (findings.message || findings.timer || findings.parked);
}

function openJob({ job, cause, reconcileSeq, reconcileEventsSeq }: ReconcileCandidate): OpenJob {
  const noted = reconcileSeq !== undefined && reconcileEventsSeq !== undefined;
  return {
    published: cause !== 'unpublished',
    seq: job.seq,
    note: noted ? { jobsSeq: reconcileSeq, eventsSeq: reconcileEventsSeq } : undefined,
  };
}

function noteOf(
  { candidate, decision, findings }: Look,
  known: { now: number; again: number; ends: ReconcileMarks; republished: readonly Republished[] },
): ReconcileNote {
  const { id, order } = candidate.job;
  const { now, again, ends, republished } = known;
  const marks = { reconcileSeq: ends.jobsSeq, reconcileEventsSeq: ends.eventsSeq };
  if (decision === 'note') return { id, order, checkAt: again, ...marks };
  const { reconcileSeq, reconcileEventsSeq } = candidate;
  const kept = {
    ...(reconcileSeq === undefined ? {} : { reconcileSeq }),
    ...(reconcileEventsSeq === undefined ? {} : { reconcileEventsSeq }),
  };
  if (isFound(findings)) return { id, order, checkAt: now, ...kept, published: {} };
  const done = republished.find((one) => one.id === id);
  if (!done) return { id, order, checkAt: now, ...kept };
  // A new message begins anew: it is not lost before these ends have passed.
  return { id, order, checkAt: now, ...marks, published: done.seq === undefined ? {} : { seq: done.seq } };
}
