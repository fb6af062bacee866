import { type Bus, inside } from '../connection/bus.ts';
import { manage } from '../connection/manage.ts';
import { streamName } from '../streams/names.ts';

/** What a pass over the lanes came to. */
export interface Purged {
  readonly removed: number;
  /** Every lane has handed out, and has back, all that was stored up to the asked sequence. */
  readonly done: boolean;
}

/**
 * Removes messages of JOBS that their consumer has passed: they were acknowledged, and a store that lost its end has
 * forgotten their removal (tried with nats-server 2.15). Nobody would ever be given them again, and they would stay for
 * ever. In a whole stream there are none.
 * @throws JetStreamCallError, BusClosedError
 */
export async function purgePassed(bus: Bus, params: { readonly upTo: number }): Promise<Purged> {
  const inner = inside(bus);
  const stream = streamName(inner, 'JOBS');
  const lanes = await manage(inner, 'the consumers of JOBS', async (jsm) => {
    const found = [];
    for await (const lane of jsm.consumers.list(stream)) found.push(lane);
    return found;
  });
  let removed = 0;
  let done = true;
  for (const { config, delivered, ack_floor: floor, num_pending: pending, num_ack_pending: held } of lanes) {
    const idle = pending === 0 && held === 0;
    const passed = idle ? delivered.stream_seq : floor.stream_seq;
    if (!idle && passed < params.upTo) done = false;
    const filter = config.filter_subject;
    if (filter === undefined || passed === 0) continue;
    const answer = await manage(inner, `purging what is passed of ${filter}`, (jsm) =>
      jsm.streams.purge(stream, { filter, seq: Math.min(passed, params.upTo) + 1 }),
    );
    removed += answer.purged;
  }
  return { removed, done };
}
