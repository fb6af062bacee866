import type { JetbeatError, TaskRef } from '@jetbeat/core';
import { type Bus, publishJobs } from '@jetbeat/jetstream';
import type { Accepted } from './accepted.ts';
import { EnqueueError } from './errors.ts';
import { type EnqueuedJob, type EnqueueOptions, type Prepared, prepare } from './prepare.ts';
import type { Room } from './room.ts';
import { traceSend } from './trace-send.ts';

/** What enqueueing needs of a connection. */
export interface Way {
  readonly bus: Bus;
  readonly accepted: Accepted;
  readonly room: Room;
}

/** How long a full event stream may hold a caller up, in milliseconds; then history learns of the job later. */
const ROOM_MS = 5_000;

/**
 * Enqueues one job; resolves when JetStream has it.
 * @throws InvalidInputError, EnqueueError
 */
export async function enqueue(
  way: Way,
  task: TaskRef | string,
  input: unknown,
  options?: EnqueueOptions,
): Promise<EnqueuedJob> {
  const ready = prepare(task, input, options);
  const sending = traceSend(ready instanceof Promise ? await ready : ready);
  const [result] = await publish(way, [sending.prepared]);
  sending.end(result?.error);
  if (!result?.job) throw result?.error ?? new Error('publishJobs answered nothing');
  return result.job;
}

/** What became of one job. `told` resolves when history has been told of it. */
export type Published =
  | { readonly job: EnqueuedJob; readonly told: Promise<void>; readonly error?: undefined }
  | { readonly job?: undefined; readonly error: JetbeatError };

/**
 * Publishes jobs and tells history; one answer per job, in the same order.
 * @param waitMs how long to wait for room before all are refused, in milliseconds
 */
export async function publish(way: Way, prepared: readonly Prepared[], waitMs = 0): Promise<Published[]> {
  const refusal = way.room.refusal(waitMs);
  const full = refusal instanceof Promise ? await refusal : refusal;
  if (full !== undefined) return prepared.map(({ job }) => ({ error: new EnqueueError(job, full) }));
  const room = way.accepted.room(ROOM_MS);
  if (room !== undefined) await room;
  const results = await publishJobs(
    way.bus,
    prepared.map((each) => each.publish),
  );
  return prepared.map(({ job, publish: sent }, index) => {
    const result = results[index];
    if (result?.ok) return { job, told: way.accepted.tell(sent, result.seq) };
    if (!result) throw new Error('publishJobs answered too little');
    return { error: new EnqueueError(job, result.error) };
  });
}
