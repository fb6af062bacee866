import type { Priority } from '@jetbeat/core';
import type { BusConnection } from '../connection/bus.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { durableName, laneOf, laneSubjects, streamName } from '../streams/names.ts';

/** How long it is relied on what was seen, milliseconds: less than for which a slot is kept for what is put back. */
const KEEP_MS = 5_000;
/** Lanes that are remembered. */
const MAX_KNOWN = 3_000;

interface Seen {
  readonly at: number;
  readonly there: Promise<boolean>;
}

/**
 * Which front lanes there are. While an installation is brought to a new version, the workers of a queue may be of one that pulls from none,
 * and an app of that version that starts takes their subjects from the stream.
 */
export class FrontLanes {
  readonly #bus: BusConnection;
  readonly #seen = new Map<string, Seen>();

  constructor(bus: BusConnection) {
    this.#bus = bus;
    bus.onReconnect(({ serverChanged }) => serverChanged && this.#seen.clear());
  }

  /**
   * Whether what is put there is taken by JetStream, and goes to workers.
   * @throws JetStreamCallError, BusClosedError
   */
  has({ queue, priority }: { readonly queue: string; readonly priority: Priority }): Promise<boolean> {
    const name = durableName(queue, laneOf(priority, true));
    const seen = this.#seen.get(name);
    if (seen && performance.now() - seen.at < KEEP_MS) return seen.there;
    if (this.#seen.size >= MAX_KNOWN) this.#seen.clear();
    const there = this.#look(name, laneSubjects(this.#bus, laneOf(priority, true)));
    this.#seen.set(name, { at: performance.now(), there });
    there.catch(() => this.#seen.delete(name));
    return there;
  }

  async #look(name: string, subject: string): Promise<boolean> {
    const stream = streamName(this.#bus, 'JOBS');
    return manage(this.#bus, `whether there is ${name}`, async (jsm) => {
      try {
        const [{ config }] = await Promise.all([jsm.streams.info(stream), jsm.consumers.info(stream, name)]);
        return config.subjects.includes(subject);
      } catch (error) {
        if (isApiError(error, API.consumerNotFound)) return false;
        throw error;
      }
    });
  }
}
