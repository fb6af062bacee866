import { type Bus, inside } from '../connection/bus.ts';
import { manage } from '../connection/manage.ts';
import { streamName } from './names.ts';

/**
 * Removes the oldest batches of EVENTS: those up to `upTo`, at most `maxMessages` of them, since a long purge holds up
 * publishers. Returns how many were removed; call it again while that is `maxMessages`.
 * @param params `upTo`: the last sequence that may go; the caller knows it to be committed
 * @throws JetStreamCallError, BusClosedError
 */
export async function trimEvents(
  bus: Bus,
  params: { readonly upTo: number; readonly maxMessages: number },
): Promise<number> {
  const inner = inside(bus);
  const stream = streamName(inner, 'EVENTS');
  return manage(inner, 'trimming EVENTS', async (jsm) => {
    const { state } = await jsm.streams.info(stream);
    // A purge takes what is before its sequence.
    const before = Math.min(params.upTo + 1, state.first_seq + params.maxMessages, state.last_seq + 1);
    if (state.messages === 0 || before <= state.first_seq) return 0;
    return (await jsm.streams.purge(stream, { seq: before })).purged;
  });
}
