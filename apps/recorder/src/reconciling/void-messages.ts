import { orderOf, PHASES } from '@jetbeat/core';
import {
  type Bus,
  type CancelledKeys,
  deleteJobMessage,
  findMessage,
  findParked,
  type StoredJob,
  timerSubject,
} from '@jetbeat/jetstream';

/** A job that may have been moved to another time or lane. */
interface MovedJob {
  readonly id: string;
  readonly queue: string;
  /** `orderOf` the message that stands for it now: those before it are void. */
  readonly movedBelow?: number;
}

/** Whether this is the message of a job, and not one from before it was moved. */
export function standsFor(
  found: StoredJob | undefined,
  { id, movedBelow = 0 }: Omit<MovedJob, 'queue'>,
): boolean {
  const envelope = found?.envelope;
  return envelope?.id === id && orderOf(envelope, PHASES.queued) >= movedBelow;
}

/**
 * Does what is left of a move: who moved the job may have died before its old message was taken out. All workers are told that it is void, and
 * what waits of it is removed, before the job is published at its new place.
 * @throws JetStreamCallError, BusClosedError
 */
export async function dropVoid(
  { bus, cancelled }: { readonly bus: Bus; readonly cancelled: Pick<CancelledKeys, 'move'> },
  job: MovedJob,
): Promise<void> {
  const { id, queue, movedBelow } = job;
  if (movedBelow === undefined) return;
  await cancelled.move(id, movedBelow);
  for (const found of [
    await findMessage(bus, { subject: timerSubject(bus, id) }),
    await findParked(bus, { queue, id }),
  ])
    if (found?.envelope?.id === id && !standsFor(found, job)) await deleteJobMessage(bus, found.seq);
}
