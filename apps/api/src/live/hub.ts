import type { StoredEvents } from '@jetbeat/jetstream';
import { createTurns } from '../turns.ts';
import { createAudience, type Listener } from './audience.ts';
import type { Batch } from './batch.ts';
import { type BatchCache, createBatchCache } from './batch-cache.ts';
import { type EventPlace, epochOf } from './event-id.ts';
import { until } from './until.ts';

/** Where EVENTS stands. */
export interface EventsStand {
  /** When the stream was made, Unix milliseconds. */
  readonly created: number;
  readonly lastSeq: number;
  /** Everything up to this sequence is in history. */
  readonly recordedUpTo: number;
}

/** What telling asks of JetStream. */
export interface HubPorts {
  isConnected(): boolean;
  stand(): Promise<EventsStand>;
  readEvents(range: { readonly from: number; readonly upTo: number }): Promise<readonly StoredEvents[]>;
  /** Whether it is known of those who listen that they still may. */
  mayTell(): boolean;
}

/** Where the hub stands. */
export interface HubPlace extends EventPlace {
  readonly index?: never;
  /** The last batch that there is. */
  readonly lastSeq: number;
}

/** One reader of EVENTS for all streams of this process. */
export interface Hub {
  /** Everything up to here has been told to those who listen. Undefined while nobody is there, or nothing is known yet. */
  readonly place: HubPlace | undefined;
  /** Whether it is known of those who listen that they still may: else nothing is told, also not of what was missed. */
  readonly mayTell: boolean;
  /** Batches as they are stored, for whoever catches up; as `BatchCache.read`. */
  read(range: { readonly from: number; readonly upTo: number }): Promise<readonly Batch[]>;
  /** From the next batch on. Returns how to stop that. */
  listen(listener: Listener): () => void;
  /** Somebody is there, and wants to know where it stands. Returns how to say that it has gone. */
  enter(): () => void;
  /** Resolves when it knows where it stands, or after `timeoutMs`. */
  standing(timeoutMs: number): Promise<HubPlace | undefined>;
  /** Tells what has been recorded since. Returns how soon it should be looked again, milliseconds; undefined while nobody is there. */
  pass(signal: AbortSignal): Promise<number | undefined>;
}

/** How often it is looked while somebody listens, milliseconds. */
const LOOK_MS = 50;
/** The same while NATS is away. */
const AWAY_MS = 250;
/** Bytes of batches that are remembered for those who catch up. */
const CACHE_BYTES = 4 * 1024 ** 2;

/**
 * Tells what happens once history has it: whoever then asks the API for the job finds it at least as far. Nothing is kept at the
 * server: each pass asks how far EVENTS is recorded, and reads on from where it was. So a server that is killed, a
 * replica that lags behind or a pause of this process only makes it later.
 */
export function createHub(params: { readonly ports: HubPorts; readonly poke: () => void }): Hub {
  const { ports, poke } = params;
  const audience = createAudience();
  const waiting = new Set<() => void>();
  let present = 0;
  let place: HubPlace | undefined;
  let cache = newCache();

  function newCache(): BatchCache {
    return createBatchCache({ readEvents: (range) => ports.readEvents(range), maxBytes: CACHE_BYTES });
  }

  /** Begins, or begins anew where the store is another one than before, or has lost its end. */
  const follow = (stand: EventsStand): { target: number } => {
    const { lastSeq } = stand;
    const epoch = epochOf(stand.created);
    const target = Math.min(stand.recordedUpTo, lastSeq);
    if (place && place.epoch === epoch && place.seq <= lastSeq) place = { ...place, lastSeq };
    else {
      const isNew = place !== undefined;
      place = { epoch, seq: target, lastSeq };
      cache = newCache();
      if (isNew) audience.miss('restarted', place);
      for (const wake of waiting) wake();
    }
    return { target };
  };
  const tell = (batch: Batch): void => {
    if (!place) return;
    const next = { ...place, seq: batch.seq };
    if (batch.seq > place.seq + 1) {
      place = { ...place, seq: batch.seq - 1 };
      audience.miss('trimmed', place);
    }
    place = next;
    audience.tell(place.epoch, batch);
  };

  return {
    get place() {
      return place;
    },
    get mayTell() {
      return ports.mayTell();
    },
    read: (range) => cache.read(range),
    listen: (listener) => audience.add(listener),
    enter() {
      present += 1;
      poke();
      let gone = false;
      return () => {
        if (!gone) present -= 1;
        gone = true;
      };
    },
    async standing(timeoutMs) {
      if (place) return place;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
      waiting.delete(resolve);
      return place;
    },
    async pass(signal) {
      if (present === 0) {
        // Whoever comes next begins where history is then.
        place = undefined;
        return undefined;
      }
      if (!ports.isConnected()) return AWAY_MS;
      if (!ports.mayTell()) return LOOK_MS;
      const turns = createTurns();
      const { target } = follow(await until(signal, ports.stand()));
      while (place !== undefined && place.seq < target && !signal.aborted && ports.mayTell()) {
        const batches = await until(signal, cache.read({ from: place.seq + 1, upTo: target }));
        // The replica that answered lags behind.
        if (batches.length === 0) break;
        // What is written in one turn goes out together.
        for (const batch of batches) {
          tell(batch);
          await turns();
        }
      }
      return LOOK_MS;
    },
  };
}
