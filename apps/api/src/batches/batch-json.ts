import type { Batch } from '@jetbeat/core/http';
import { type BatchFilter, type BatchRecord, batchState, tellsPayloads } from '@jetbeat/postgres';
import type { Caller } from '../access/caller.ts';

/** Failures that are told. */
const LISTED = 100;

/** A batch as it is answered. */
export function batchJson(
  batch: BatchRecord,
  caller: Pick<Caller, 'payloads'>,
  warnings: Batch['warnings'] = [],
): Batch {
  const { id, action, rate, most, total, done, skipped, failed, waitingFor, cut = [] } = batch;
  const { actor, reason } = batch.asked;
  return {
    id,
    action,
    state: batchState(batch),
    filter: filterJson(batch.filter, batch.queues, caller),
    rate,
    limit: most,
    total: { ...total },
    done,
    skipped,
    failed,
    failures: batch.failures.slice(0, LISTED).map((failure) => ({ ...failure })),
    ...(waitingFor === null ? {} : { waitingFor }),
    by: actor.name,
    ...(reason === undefined ? {} : { reason }),
    createdAt: timeOf(batch.createdAt),
    abortedAt: timeOf(batch.abortAt),
    finishedAt: timeOf(batch.finishedAt),
    warnings,
    ...(cut.length === 0 ? {} : { cut: [...cut] }),
  };
}

/** The filter of a batch as it is answered: what it says of inputs and notes is not for everybody. */
export function filterJson(
  filter: BatchFilter,
  queues: readonly string[] | null,
  { payloads }: Pick<Caller, 'payloads'>,
): Batch['filter'] {
  const { states, ids, from, to, meta, task, queue, schedule, reason, search } = filter;
  return {
    state: [...states],
    ...(ids ? { ids: [...ids] } : {}),
    ...(task === undefined ? {} : { task }),
    ...(queue === undefined ? {} : { queue }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(reason === undefined ? {} : { reason }),
    ...(meta && payloads ? { meta: { ...meta } } : {}),
    ...(search === undefined || (!payloads && tellsPayloads(filter)) ? {} : { search }),
    from: timeOf(from ?? null),
    to: timeOf(to ?? null),
    ...(queues ? { queues: [...queues] } : {}),
  };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
