import {
  type Database,
  type DispatchDecision,
  type Dispatched,
  type DueOccurrence,
  type dispatchPass,
  isRefusedByData,
  type NewJob,
  noteProblem,
} from '@jetbeat/postgres';
import { type DecideParams, decideOccurrence } from './decide.ts';

/** What dispatching needs. */
export interface DispatchParams extends DecideParams {
  readonly db: Database;
  /** The transaction; a test may wrap it. */
  readonly dispatchPass: typeof dispatchPass;
  /** Whether anything waits for the end of a job. */
  readonly buffered: boolean;
  /** How many bytes of jobs there is room for. */
  readonly budget: number;
  /** Takes what is committed and has to be published, also nothing. */
  readonly publish: (jobs: readonly NewJob[]) => void;
  /** Takes what is committed and has to be told to the workers: jobs that are cancelled. */
  readonly cancel: (ids: readonly string[]) => void;
}

/** Where EVENTS stood after the due times of the pass; unknown while NATS is away. */
export interface EventsMarks {
  /** Its last sequence. */
  readonly lastSeq: number;
  /** Everything up to here is in history; read before `lastSeq`. */
  readonly recordedUpTo: number;
}

/** What was done. */
export interface DispatchCounts {
  readonly dispatched: number;
  readonly skipped: number;
  /** Occurrences that began to wait until a job has ended. */
  readonly buffered: number;
  /** Occurrences that wait until history has caught up. */
  readonly waiting: number;
}

/** What a dispatch did; `cut`: more was due than fits into memory. */
export type DispatchDone = DispatchCounts & { readonly cut: boolean };

/** Occurrences of one transaction. */
const LIMIT = 500;
/** What PostgreSQL refuses is looked for in steps, each with so many times fewer occurrences. */
const FEWER = 4;
/** After so many refusals the pass fails; the next one goes on. */
const TRIES = 20;
/** One whose job PostgreSQL refuses is looked at again after this, in milliseconds. */
const AGAIN_MS = 60_000;

/**
 * Decides what is due, as much as one transaction takes, and hands the jobs that were made to `publish`. One whose job
 * PostgreSQL refuses holds up no other: it waits, and what is wrong stands in its schedule.
 * @param now PostgreSQL's time, Unix milliseconds
 */
export async function dispatch(
  params: DispatchParams,
  now: number,
  events: EventsMarks | undefined,
): Promise<DispatchDone> {
  const done = await decideAll(params, now, events);
  params.publish(done.dispatched);
  if (done.cancelled.length > 0) params.cancel(done.cancelled);
  const { skipped, buffered, waiting, cut } = done;
  return { dispatched: done.dispatched.length, skipped, buffered, waiting, cut };
}

async function decideAll(
  params: DispatchParams,
  now: number,
  events: EventsMarks | undefined,
): Promise<Dispatched> {
  const { db, buffered, budget } = params;
  const known = { now, recordedUpTo: events?.recordedUpTo ?? 0, lastSeq: events?.lastSeq };
  const { recordedUpTo } = known;
  const refused = new Set<string>();
  const later: DispatchDecision = {
    do: 'wait',
    eventsSeq: Number.MAX_SAFE_INTEGER,
    until: now + AGAIN_MS,
  };
  let asked: DueOccurrence[] = [];
  const decide = (due: DueOccurrence) => {
    asked.push(due);
    return refused.has(keyOf(due)) ? later : decideOccurrence(params, due, known);
  };
  for (let [limit, tries] = [LIMIT, 1]; ; tries++) {
    asked = [];
    try {
      return await params.dispatchPass(db, { now, limit, recordedUpTo, buffered, budget, decide });
    } catch (error) {
      if (!isRefusedByData(error) || tries === TRIES) throw error;
      // Its error does not say whose values these are, so it is asked about fewer, at last about one.
      const culprit = limit === 1 ? asked.find((due) => !refused.has(keyOf(due))) : undefined;
      if (culprit) {
        refused.add(keyOf(culprit));
        await noteRefused(params, culprit, error);
      }
      limit = culprit ? LIMIT : Math.max(1, Math.floor(limit / FEWER));
    }
  }
}

async function noteRefused({ db, log }: DispatchParams, due: DueOccurrence, err: unknown): Promise<void> {
  const { id, name } = due.schedule;
  const text = err instanceof Error ? err.message : String(err);
  log.error({ err, schedule: name }, 'no job can be stored of a schedule: correct its definition');
  await noteProblem(db, { id, problem: `no job can be stored of it: ${text}` });
}

function keyOf({ schedule, nominalTime, origin }: DueOccurrence): string {
  return `${schedule.id} ${nominalTime} ${origin}`;
}
