import { type Bus, inside } from '../connection/bus.ts';
import { laneOf, parseSubject } from '../streams/names.ts';
import { laneState } from '../streams/stream-state.ts';
import { deleteJobMessage, findMessage } from './find-message.ts';

/**
 * Removes a job's message from its lane, unless a worker may have got it. Only the consumer of the lane that it is in says that: the
 * other one of its priority hands out what is newer.
 * @returns whether it was removed, and nobody had it
 * @throws JetStreamCallError, BusClosedError
 */
export async function takeWaiting(
  bus: Bus,
  { id, seq }: { readonly id: string; readonly seq: number },
): Promise<boolean> {
  const inner = inside(bus);
  const message = await findMessage(bus, { seq });
  const place = message && parseSubject(inner, message.subject);
  if (place?.kind !== 'job' || message?.envelope?.id !== id) return false;
  const lane = laneOf(place.priority, place.front);
  const isPassed = async () => ((await laneState(inner, place.queue, lane))?.delivered ?? 0) >= seq;
  if (await isPassed()) return false;
  // It may have been handed out between the look and the deletion.
  return (await deleteJobMessage(bus, seq)) && !(await isPassed());
}
