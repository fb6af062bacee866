import {
  type EndedEvent,
  factsOf,
  isTerminal,
  parseTraceparent,
  type Reason,
  type UniqueAsk,
} from '@jetbeat/core';
import {
  type Bus,
  clearReplaced,
  type EndTeller,
  type JobToPublish,
  type PublishResult,
  type TakenKey,
  takeKey,
} from '@jetbeat/jetstream';
import { cancelJob, type Database, keyedStates } from '@jetbeat/postgres';
import type { Log } from '@jetbeat/runtime';

type Publish = (jobs: readonly JobToPublish[]) => Promise<PublishResult[]>;

/** What asking for the keys of scheduled jobs needs. */
export interface TakeKeysParams {
  readonly bus: Bus;
  readonly db: Database;
  readonly events: EndTeller;
  readonly publish: Publish;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Unix milliseconds. */
  readonly clock: () => number;
}

/** A job that wants a key. */
type Keyed = JobToPublish & { readonly unique: UniqueAsk };

/** A job that is over without ever being published. */
const ENDED: PublishResult = { ok: true, seq: 0, duplicate: true, delayed: true, over: true };

/**
 * A publish that first asks for the keys of the jobs that want one. A run whose key another job has ends at once, as
 * `cancelled`. Where the key cannot be asked for, the recorder publishes the job, and its worker asks.
 */
export function takeKeysFirst(params: TakeKeysParams): Publish {
  const { publish } = params;
  return async (jobs) => {
    const keyed = jobs.filter((job): job is Keyed => job.unique !== undefined);
    if (keyed.length === 0) return publish(jobs);
    const answers = new Map<JobToPublish, TakenKey | PublishResult>();
    await Promise.all(keyed.map(async (job) => answers.set(job, await take(params, job))));
    const free = jobs.filter((job) => {
      const answer = answers.get(job);
      return answer === undefined || 'answer' in answer;
    });
    const results = new Map<JobToPublish, PublishResult>();
    for (const [index, result] of (await publish(free)).entries()) {
      const job = free[index];
      if (job) results.set(job, result);
    }
    await Promise.all(keyed.map((job) => clear(params, job, answers.get(job), results.get(job))));
    return jobs.map((job) => results.get(job) ?? (answers.get(job) as PublishResult));
  };
}

/** The key, or what became of the job without it. */
async function take(params: TakeKeysParams, job: Keyed): Promise<TakenKey | PublishResult> {
  const { envelope, unique } = job;
  const { bus, db, clock, log, events } = params;
  try {
    let taken = await takeKey(bus, { ask: unique, job: envelope, now: clock() });
    if (taken.answer !== 'existing') return taken;
    const over = taken.holder.id;
    const state = (await keyedStates(db, [over])).get(over)?.state;
    if (state !== undefined && isTerminal(state) && !taken.timed) {
      // It was cancelled, or its worker died before it could free the key.
      taken = await takeKey(bus, { ask: unique, job: envelope, now: clock(), over });
      if (taken.answer !== 'existing') return taken;
    }
    const { id } = taken.holder;
    const reason: Reason = { code: 'not_unique', text: `job ${id} has its unique key` };
    const now = clock();
    const ended = await cancelJob(db, { id: envelope.id, now, reason });
    // For those who follow what happens: history has it, and nothing waits for this.
    if (ended?.cancelled) events.publish(endedEvent(job, reason, now)).catch(() => {});
    log.info(
      { job: envelope.id, schedule: envelope.schedule?.name, other: id },
      `a run is left out: ${reason.text}`,
    );
    return ENDED;
  } catch (thrown) {
    const error = thrown as Extract<PublishResult, { ok: false }>['error'];
    return { ok: false, error };
  }
}

function endedEvent({ envelope, traceparent }: Keyed, reason: Reason, at: number): EndedEvent {
  const facts = factsOf(envelope, parseTraceparent(traceparent)?.traceId);
  return { kind: 'ended', ...facts, state: 'cancelled', reason, at };
}

async function clear(
  { bus, events, clock, log }: TakeKeysParams,
  { envelope: job }: Keyed,
  taken: TakenKey | PublishResult | undefined,
  result: PublishResult | undefined,
): Promise<void> {
  if (!taken || !('answer' in taken) || !result?.ok || taken.replaces.length === 0) return;
  try {
    await clearReplaced(bus, events, { job, now: clock() });
  } catch (err) {
    log.warn({ err, job: job.id }, 'what it replaces is not cleared away yet: a recorder will');
  }
}
