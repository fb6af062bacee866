import type { JetbeatError } from '@jetbeat/core';
import { type Bus, publishJobs } from '@jetbeat/jetstream';
import type { Accepted } from './accepted.ts';
import { EnqueueError } from './errors.ts';
import type { EnqueuedJob, Prepared } from './prepare.ts';
import type { Room } from './room.ts';
import type { CurrentSettings } from './settings.ts';

/** What enqueueing needs of a connection. */
export interface Way {
  readonly bus: Bus;
  readonly accepted: Accepted;
  readonly room: Room;
  readonly settings: CurrentSettings;
}

/** How long a full event stream may hold a caller up, in milliseconds; then history learns of the job later. */
const ROOM_MS = 5_000;

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
  const queueFull = ({ publish: { envelope } }: Prepared) => way.room.queueRefusal(envelope.queue);
  if (prepared.some((each) => queueFull(each) !== undefined)) return publishSome(way, prepared, queueFull);
  return publishAll(way, prepared);
}

/** Publishes those whose queues are not full. */
async function publishSome(
  way: Way,
  prepared: readonly Prepared[],
  queueFull: (each: Prepared) => JetbeatError | undefined,
): Promise<Published[]> {
  const refused = prepared.map(queueFull);
  const published = (
    await publishAll(
      way,
      prepared.filter((_, index) => refused[index] === undefined),
    )
  ).values();
  return prepared.map(({ job }, index) => {
    const full = refused[index];
    const done = full ? { error: new EnqueueError(job, full) } : published.next().value;
    if (!done) throw new Error('publishJobs answered too little');
    return done;
  });
}

async function publishAll(way: Way, prepared: readonly Prepared[]): Promise<Published[]> {
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
