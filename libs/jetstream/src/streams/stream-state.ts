import type { Priority } from '@jetbeat/core';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { API, isApiError, manage } from '../connection/manage.ts';
import { durableName, type Lane, lanesOf, RECORDER_DURABLE, streamName } from './names.ts';

/** Where JOBS stands. `created` (Unix milliseconds) tells one incarnation of the stream from the next. */
export interface JobsStreamState {
  readonly created: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly messages: number;
  readonly bytes: number;
  /** By the server's clock, Unix milliseconds. */
  readonly now: number;
}

/** Where EVENTS stands. */
export interface EventsState extends JobsStreamState {
  readonly maxBytes: number;
  /** Every batch up to this sequence has been acknowledged by a recorder. */
  readonly recordedUpTo: number;
  /** Batches that no recorder has been given yet. */
  readonly pending: number;
  readonly ackPending: number;
}

/** Where the consumers of one priority stand; `delivered` and `ackFloor` are sequences of JOBS. */
export interface ConsumerState {
  readonly delivered: number;
  /** The same of the lane for what comes alone; what was never parked is in that. */
  readonly deliveredPlain: number;
  readonly ackFloor: number;
  readonly pending: number;
  readonly ackPending: number;
  /**
   * Pulls of workers that wait for jobs, on the lane for what comes: while a backlog stands there is none but of who has nothing to do. On the
   * other lane, which is empty nearly always, a full worker's waits, too.
   */
  readonly pulls: number;
  /** Nothing waits and nothing is being run: everything stored for it is done, wherever its floor stands. */
  readonly idle: boolean;
}

/** The same of one lane. */
type LaneState = Omit<ConsumerState, 'deliveredPlain'>;

/** Throws JetStreamCallError, BusClosedError; JetStreamApiError of the client when the stream is missing. */
export async function jobsStreamState(bus: Bus): Promise<JobsStreamState> {
  return streamState(bus, 'JOBS');
}

/**
 * Reads EVENTS and how far it is recorded; the consumer first, so that `recordedUpTo` never names what came after.
 * @throws JetStreamCallError, BusClosedError
 */
export async function eventsState(bus: Bus): Promise<EventsState> {
  const inner = inside(bus);
  const stream = streamName(inner, 'EVENTS');
  const consumer = await manage(inner, 'the state of the recorder', (jsm) =>
    jsm.consumers.info(stream, RECORDER_DURABLE),
  );
  const state = await streamState(bus, 'EVENTS');
  return {
    ...state,
    recordedUpTo: consumer.ack_floor.stream_seq,
    pending: consumer.num_pending,
    ackPending: consumer.num_ack_pending,
  };
}

/** Of a queue that nobody has served yet: whatever is in it waits. */
const NO_CONSUMER: LaneState = {
  delivered: 0,
  ackFloor: 0,
  pending: 0,
  ackPending: 0,
  pulls: 0,
  idle: false,
};

/**
 * Both lanes of a priority as one: what either has handed out is handed out, what both have acknowledged is acknowledged.
 * Without a consumer a priority has handed out nothing and is not idle: a queue that no worker serves is nothing special. Where only one
 * lane has one, its workers are of a version that knows no other, and nothing is put into that.
 * @throws JetStreamCallError, BusClosedError
 */
export async function consumerState(bus: Bus, queue: string, priority: Priority): Promise<ConsumerState> {
  const inner = inside(bus);
  const found = await Promise.all(lanesOf(priority).map((lane) => laneState(inner, queue, lane)));
  const plain = found.at(-1) ?? NO_CONSUMER;
  const known = found.filter((state) => state !== undefined);
  const states = known.length === 0 ? [NO_CONSUMER] : known;
  const sum = (figure: (state: LaneState) => number) => states.reduce((sum, state) => sum + figure(state), 0);
  const idle = states.every((state) => state.idle);
  // The floor of one that is idle holds nobody back.
  const floors = states.filter((state) => idle || !state.idle).map(({ ackFloor }) => ackFloor);
  return {
    delivered: Math.max(...states.map(({ delivered }) => delivered)),
    deliveredPlain: plain.delivered,
    ackFloor: Math.min(...floors),
    pending: sum(({ pending }) => pending),
    ackPending: sum(({ ackPending }) => ackPending),
    pulls: plain.pulls,
    idle,
  };
}

/** Where the consumer of one lane stands; undefined where there is none. Throws JetStreamCallError, BusClosedError. */
export async function laneState(
  inner: BusConnection,
  queue: string,
  lane: Lane,
): Promise<LaneState | undefined> {
  const name = durableName(queue, lane);
  const info = await manage(inner, `the state of ${name}`, async (jsm) => {
    try {
      return await jsm.consumers.info(streamName(inner, 'JOBS'), name);
    } catch (error) {
      if (isApiError(error, API.consumerNotFound)) return undefined;
      throw error;
    }
  });
  if (!info) return undefined;
  return {
    delivered: info.delivered.stream_seq,
    ackFloor: info.ack_floor.stream_seq,
    pending: info.num_pending,
    ackPending: info.num_ack_pending,
    pulls: info.num_waiting,
    idle: info.num_pending === 0 && info.num_ack_pending === 0,
  };
}

async function streamState(
  bus: Bus,
  name: 'JOBS' | 'EVENTS',
): Promise<JobsStreamState & { maxBytes: number }> {
  const inner = inside(bus);
  const { created, state, config, ts } = await manage(inner, `the state of ${name}`, (jsm) =>
    jsm.streams.info(streamName(inner, name)),
  );
  return {
    created: Date.parse(created),
    firstSeq: state.first_seq,
    lastSeq: state.last_seq,
    messages: state.messages,
    bytes: state.bytes,
    now: ts === undefined ? Date.now() : Date.parse(ts),
    maxBytes: config.max_bytes,
  };
}
