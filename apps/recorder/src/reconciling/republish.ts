import { isTerminal, type JobEnvelope, messageId } from '@jetbeat/core';
import type { EventPublisher, JobToPublish, Log } from '@jetbeat/jetstream';
import {
  cancelJob,
  type Database,
  databaseTime,
  getJob,
  type JobRecord,
  type ReconcileCandidate,
  rebuildJob,
} from '@jetbeat/postgres';
import { tellCancelled } from '../cancels/tell-cancelled.ts';
import type { GiveUp } from './give-up.ts';
import type { Publish } from './trace-republish.ts';

/** What publishing again needs. */
export interface RepublishParams {
  readonly db: Database;
  readonly publish: Publish;
  /** Makes the messages void and removes them that a job had before it was moved. */
  readonly drop: (job: JobRecord) => Promise<void>;
  readonly events: EventPublisher;
  /** For those that cannot be published again. */
  readonly giveUp: GiveUp;
  readonly log: Log;
}

/** A job that is in JetStream again; `seq` where it is known and is that of the job's own message. */
export interface Republished {
  readonly id: string;
  readonly seq?: number;
}

/**
 * Publishes what JetStream has lost, or was never given, from the rows of the jobs, which are read once more: what went
 * on meanwhile is left alone.
 */
export async function republish(
  params: RepublishParams,
  lost: readonly ReconcileCandidate[],
): Promise<Republished[]> {
  const { publish, log } = params;
  const items: JobToPublish[] = [];
  for (const candidate of lost) {
    const item = await toPublish(params, candidate);
    if (item) items.push(item);
  }
  const results = await publish(items);
  const republished: Republished[] = [];
  for (const [index, { envelope, at }] of items.entries()) {
    const result = results[index];
    if (!result?.ok) {
      log.warn(
        { err: result?.error, job: envelope.id },
        'a job cannot be published again; trying again later',
      );
      continue;
    }
    log.info(
      { job: envelope.id, task: envelope.task, attempt: envelope.attempt, run: envelope.run, at },
      'published again',
    );
    republished.push({ id: envelope.id, ...(result.duplicate || result.delayed ? {} : { seq: result.seq }) });
  }
  return republished;
}

/** Undefined when there is nothing to publish (any more). */
async function toPublish(
  params: RepublishParams,
  candidate: ReconcileCandidate,
): Promise<JobToPublish | undefined> {
  const { db, events, drop, giveUp } = params;
  const row = await getJob(db, candidate.job.id);
  if (!row || isTerminal(row.state) || row.order !== candidate.job.order) return undefined;
  if (candidate.cause === 'unpublished' && row.published) return undefined;
  const now = await databaseTime(db);
  if (row.cancelRequestedAt !== undefined) {
    const text = row.cancelReason ?? 'cancelled before it began';
    const ended = await cancelJob(db, { id: row.id, reason: { code: 'cancelled', text }, now, lost: true });
    if (ended?.cancelled) void tellCancelled({ db, events }, [row.id]).catch(() => {});
    // What runs ends by its worker, or is published again and dropped by whoever gets it.
    if (!ended || isTerminal(ended.state)) return undefined;
  }
  const rebuilt = rebuildJob(row, now);
  if (rebuilt && candidate.cause === 'unpublished') await drop(row);
  if (rebuilt) return { ...rebuilt, messageId: idOf(candidate, rebuilt.envelope) };
  giveUp(row, now);
  return undefined;
}

/**
 * A job that was never known as published keeps its own message id, which stops the repeat if it was published after
 * all. For a message that was there and is gone, that id would have the duplicate window swallow the new one.
 */
function idOf({ cause, reconcileSeq }: ReconcileCandidate, envelope: JobEnvelope): string {
  return cause === 'unpublished' ? messageId(envelope) : `${messageId(envelope)}.lost${reconcileSeq ?? 0}`;
}
