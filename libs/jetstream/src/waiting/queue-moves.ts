import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { API, isApiError } from '../connection/manage.ts';
import { within } from '../connection/pause.ts';
import { OwnPulls } from '../delivery/own-pulls.ts';
import { durableName, LANES, streamName } from '../streams/names.ts';

/** What was handed out so lately says that a queue goes on, milliseconds. */
const MOVED_MS = 2_000;
/** How long it is relied on what was seen, milliseconds. */
const KEEP_MS = 1_000;
/** How long an answer is waited for, milliseconds: a slot is given on behind it. */
const ANSWER_MS = 200;
/** Queues that are remembered. */
const MAX_KNOWN = 1_000;

interface Seen {
  /** When that was, or was asked, monotonic milliseconds. */
  at: number;
  /** It was asked, and no answer has come. */
  open: boolean;
  moves: Promise<boolean>;
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
    // Most often it is a queue of the worker that asks.
    if (this.#bus.part(OwnPulls).wait(queue)) return Promise.resolve(true);
    const seen = this.#seen.get(queue);
    if (seen && (seen.open || performance.now() - seen.at < KEEP_MS)) return seen.moves;
    if (this.#seen.size >= MAX_KNOWN) this.#seen.clear();
    const asked = this.#ask(queue);
    this.#seen.set(queue, asked);
    return asked.moves;
  }

  /** What is not answered soon counts as going on; the answer is good for those who ask after it has come. */
  #ask(queue: string): Seen {
    const look = this.#look(queue);
    const moves = within(look, ANSWER_MS).then((answer) => answer ?? true);
    const seen: Seen = { at: performance.now(), open: true, moves };
    void look.then((answer) => {
      seen.open = false;
      seen.at = performance.now();
      seen.moves = Promise.resolve(answer);
    });
    return seen;
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
 * within two seconds. Cheap when asked often, and answered within 200 ms. Never rejects: what cannot be seen counts as going on.
 */
export function queueMoves(bus: Bus, queue: string): Promise<boolean> {
  return inside(bus).part(QueueMoves).moves(queue);
}
