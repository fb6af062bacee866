import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { API, isApiError } from '../connection/manage.ts';
import { durableName, LANES, streamName } from '../streams/names.ts';

/** What was handed out so lately says that a queue goes on, milliseconds. */
const MOVED_MS = 2_000;
/** How long it is relied on what was seen, milliseconds. */
const KEEP_MS = 1_000;
/** Queues that are remembered. */
const MAX_KNOWN = 1_000;

interface Seen {
  readonly at: number;
  readonly moves: Promise<boolean>;
}

/**
 * Which queues hand out jobs: a worker waits for some, or has been given one a moment ago. One whose slots are all taken by long jobs does not,
 * nor one that no worker serves. What is seen is at most a second old; a pull that waited when its worker became full may wait on
 * for five.
 */
class QueueMoves {
  readonly #bus: BusConnection;
  readonly #seen = new Map<string, Seen>();

  constructor(bus: BusConnection) {
    this.#bus = bus;
  }

  moves(queue: string): Promise<boolean> {
    const seen = this.#seen.get(queue);
    if (seen && performance.now() - seen.at < KEEP_MS) return seen.moves;
    if (this.#seen.size >= MAX_KNOWN) this.#seen.clear();
    const moves = this.#look(queue);
    this.#seen.set(queue, { at: performance.now(), moves });
    return moves;
  }

  async #look(queue: string): Promise<boolean> {
    const lanes = await Promise.all(LANES.map((lane) => this.#isServed(durableName(queue, lane))));
    return lanes.includes(true);
  }

  /** Asked once: what cannot be seen may well move. A consumer may be without a leader for a moment. */
  async #isServed(lane: string): Promise<boolean> {
    const stream = streamName(this.#bus, 'JOBS');
    try {
      const look = this.#bus.manager().then((jsm) => jsm.consumers.info(stream, lane));
      const { num_waiting: pulls, delivered, ts } = await this.#bus.unlessLost(look);
      if (pulls > 0) return true;
      // Both by the server's clock, as texts (whatever the client's types say).
      const since = Date.parse(String(ts)) - Date.parse(String(delivered.last_active));
      return since < MOVED_MS;
    } catch (error) {
      return !isApiError(error, API.consumerNotFound);
    }
  }
}

/**
 * Whether a job that is put back on this queue would begin soon, as far as can be seen: a worker waits for jobs of it, or has been given one
 * within two seconds. Cheap when asked often. Never rejects: what cannot be seen counts as going on.
 */
export function queueMoves(bus: Bus, queue: string): Promise<boolean> {
  return inside(bus).part(QueueMoves).moves(queue);
}
