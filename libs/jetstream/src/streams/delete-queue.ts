import { checkName } from '@jetbeat/core';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { API, manage } from '../connection/manage.ts';
import { orUndefined } from '../connection/or-undefined.ts';
import { TOLD_OF_QUEUES } from '../settings/queue-settings.ts';
import { removeTold } from '../settings/told-settings.ts';
import { durableName, inNamespace, LANES, type Lane, streamName } from './names.ts';

/**
 * Removes the consumers of a queue, and what every process is told of it. Those on which jobs wait or run stay. A job that comes later is kept
 * by the stream, and is run when the queue has a worker again, which makes them anew.
 * @returns how many consumers were removed
 * @throws JetStreamCallError, BusClosedError
 */
export async function deleteQueueLanes(bus: Bus, queue: string): Promise<number> {
  const inner = inside(bus);
  const removed = await Promise.all(LANES.map((lane) => deleteLane(inner, queue, lane)));
  await removeTold(bus, TOLD_OF_QUEUES, queue);
  return removed.filter((one) => one).length;
}

/**
 * Whether any job of a queue waits for a worker, is held by one, or is parked; those that wait for their time are not of a queue here. Read at
 * the leader.
 * @throws JetStreamCallError, BusClosedError
 */
export async function hasQueueMessages(bus: Bus, queue: string): Promise<boolean> {
  const inner = inside(bus);
  const name = checkName('queue', queue);
  const stream = streamName(inner, 'JOBS');
  const queries: FirstOf[] = [`jobs.${name}.>`, `parked.${name}.>`].map((subject) => ({
    seq: 1,
    next_by_subj: inNamespace(inner, subject),
  }));
  const found = await manage(inner, `a job of queue ${name}`, (jsm) =>
    Promise.all(
      queries.map((query) => orUndefined(() => jsm.streams.getMessage(stream, query), API.noMessage)),
    ),
  );
  return found.some((message) => message);
}

/** Asks for the first message of a subject. */
interface FirstOf {
  readonly seq: number;
  readonly next_by_subj: string;
}

function deleteLane(bus: BusConnection, queue: string, lane: Lane): Promise<boolean> {
  const [stream, name] = [streamName(bus, 'JOBS'), durableName(queue, lane)];
  return manage(bus, `removing consumer ${name}`, async (jsm) => {
    const found = await orUndefined(() => jsm.consumers.info(stream, name), API.consumerNotFound);
    if (!found || found.num_pending > 0 || found.num_ack_pending > 0) return false;
    return (await orUndefined(() => jsm.consumers.delete(stream, name), API.consumerNotFound)) ?? false;
  });
}
