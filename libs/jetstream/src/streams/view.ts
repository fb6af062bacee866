import type { Priority } from '@jetbeat/core';
import type { ConsumerInfo, JetStreamManager } from '@nats-io/jetstream';
import { type Bus, type BusConnection, inside } from '../connection/bus.ts';
import { manage } from '../connection/manage.ts';
import { countByLane, type LaneCount } from './count-by-lane.ts';
import { countParked } from './count-parked.ts';
import { durableName, inNamespace, priorityOf, readDurable, streamName } from './names.ts';
import { storedAt } from './stored-at.ts';
import { eventsState } from './stream-state.ts';

/** The jobs of one queue and priority as an operator sees them: both its lanes. */
export interface LaneView {
  readonly queue: string;
  readonly priority: Priority;
  /** Jobs that wait for a worker, and jobs that workers hold; of these, those that were handed out more than once. */
  readonly pending: number;
  readonly inFlight: number;
  readonly redelivered: number;
  /** Pulls of workers that wait for jobs. */
  readonly pulls: number;
  /** How long the oldest job that waits has been there, in milliseconds; 0 when none waits. */
  readonly oldestMs: number;
}

/** Jobs of one queue and priority that wait. */
export interface WaitingCount {
  readonly queue: string;
  readonly priority: Priority;
  readonly jobs: number;
}

/** What JetStream holds of an installation. Ages are by the server's clock. */
export interface JetStreamView {
  readonly lanes: readonly LaneView[];
  /** Jobs that wait where no consumer is, those on `lanes` too. Absent where they are not counted, and `lanes` has none of them. */
  readonly unserved?: readonly WaitingCount[];
  readonly streams: readonly { readonly stream: string; readonly messages: number; readonly bytes: number }[];
  readonly deadLetters: number;
  /** Absent where counting them would cost the server too much. */
  readonly parked?: number;
  readonly timers?: number;
  /** Batches of EVENTS that are not in PostgreSQL, and the age of the oldest, in milliseconds. */
  readonly unrecorded: number;
  readonly unrecordedMs: number;
}

/** Lanes in which jobs wait whose oldest one is looked up; the others say nothing of it. */
const MAX_LOOK_UPS = 100;
/** Lanes without a consumer that are shown, the fullest first: callers choose their names. */
const MAX_UNSERVED = 100;

/** Makes looks at JetStream whose cost is bounded, however many jobs there are: no list of messages is ever read. */
export function viewJetStream(
  bus: Bus,
  params: { readonly mostUnserved?: number; readonly mostSubjects?: number } = {},
): () => Promise<JetStreamView> {
  const { mostUnserved = MAX_UNSERVED } = params;
  const inner = inside(bus);
  const count = countParked(bus);
  return async () => {
    // Asked for together: what comes or goes between the two looks like a timer, or hides one.
    const [infos, jobs, counts] = await Promise.all([
      manage(inner, 'the list of consumers', consumersOf(streamName(inner, 'JOBS'))),
      streamOf(inner, 'JOBS'),
      countByLane(bus, { most: params.mostSubjects }),
    ]);
    const [events, dead] = await Promise.all([eventsState(bus), streamOf(inner, 'DEAD')]);
    const served = new Set(infos.map(({ name }) => name));
    const unserved = counts?.filter(({ queue, lane }) => !served.has(durableName(queue, lane))) ?? [];
    const looked = new Set(infos.filter(({ num_pending }) => num_pending > 0).slice(0, MAX_LOOK_UPS));
    const found = await Promise.all([
      ...infos.flatMap((info) => laneOf(bus, info, looked.has(info))),
      ...unserved.slice(0, mostUnserved).map((count) => unservedLane(bus, count, jobs.now)),
    ]);
    const lanes = byPriority(found);
    const beyond = unserved.slice(mostUnserved).reduce((sum, { messages }) => sum + messages, 0);
    const inLanes = lanes.reduce((sum, { pending, inFlight }) => sum + pending + inFlight, beyond);
    const rest = Math.max(0, jobs.messages - inLanes);
    const parked = await count({ rest, lastSeq: jobs.lastSeq });
    const { recordedUpTo, firstSeq, lastSeq } = events;
    const unrecorded = Math.max(0, lastSeq - Math.max(recordedUpTo, firstSeq - 1));
    const since =
      unrecorded === 0
        ? undefined
        : await storedAt(bus, {
            stream: 'EVENTS',
            seq: recordedUpTo + 1,
            subject: inNamespace(inner, 'events.batch'),
          });
    return {
      lanes,
      ...(counts ? { unserved: byQueue(unserved) } : {}),
      streams: [
        { stream: 'JOBS', messages: jobs.messages, bytes: jobs.bytes },
        { stream: 'EVENTS', messages: events.messages, bytes: events.bytes },
        { stream: 'DEAD', messages: dead.messages, bytes: dead.bytes },
      ],
      deadLetters: dead.messages,
      ...(parked === undefined ? {} : { parked, timers: Math.max(0, rest - parked) }),
      unrecorded,
      unrecordedMs: since === undefined ? 0 : Math.max(0, jobs.now - since),
    };
  };
}

function consumersOf(stream: string): (jsm: JetStreamManager) => Promise<ConsumerInfo[]> {
  return async (jsm) => {
    const found: ConsumerInfo[] = [];
    for await (const info of jsm.consumers.list(stream)) found.push(info);
    return found;
  };
}

async function streamOf(
  bus: BusConnection,
  name: 'JOBS' | 'DEAD',
): Promise<{ messages: number; bytes: number; lastSeq: number; now: number }> {
  const { state, ts } = await manage(bus, `the state of ${name}`, (jsm) =>
    jsm.streams.info(streamName(bus, name)),
  );
  return { messages: state.messages, bytes: state.bytes, lastSeq: state.last_seq, now: timeOf(ts) };
}

function byPriority(lanes: readonly LaneView[]): LaneView[] {
  const found = new Map<string, LaneView>();
  for (const lane of lanes) {
    const name = `${lane.queue} ${lane.priority}`;
    const other = found.get(name);
    found.set(name, other ? together(other, lane) : lane);
  }
  return [...found.values()];
}

/** Both lanes of a priority together. */
function byQueue(counts: readonly LaneCount[]): WaitingCount[] {
  const found = new Map<string, WaitingCount>();
  for (const { queue, lane, messages } of counts) {
    const priority = priorityOf(lane);
    const name = `${queue} ${priority}`;
    found.set(name, { queue, priority, jobs: messages + (found.get(name)?.jobs ?? 0) });
  }
  return [...found.values()];
}

/**
 * Counts the jobs of one queue that wait, or are held, by the subjects of the stream alone: for a queue of which no consumer tells.
 * @returns undefined where too many tasks have jobs there
 * @throws JetStreamCallError
 */
export async function countWaiting(bus: Bus, queue: string): Promise<readonly WaitingCount[] | undefined> {
  const counts = await countByLane(bus, { queue });
  return counts && byQueue(counts);
}

function together(one: LaneView, other: LaneView): LaneView {
  return {
    queue: one.queue,
    priority: one.priority,
    pending: one.pending + other.pending,
    inFlight: one.inFlight + other.inFlight,
    redelivered: one.redelivered + other.redelivered,
    pulls: one.pulls + other.pulls,
    oldestMs: Math.max(one.oldestMs, other.oldestMs),
  };
}

/** Nothing for a consumer that is no lane, e.g. one that an operator made. */
function laneOf(bus: Bus, info: ConsumerInfo, isLooked: boolean): Promise<LaneView>[] {
  const { name, num_pending, num_ack_pending, num_redelivered, num_waiting, delivered, ts } = info;
  const found = readDurable(name);
  if (!found) return [];
  const { queue, lane } = found;
  const age = async () => {
    if (!isLooked) return 0;
    const subject = inNamespace(bus, `jobs.${queue}.${lane}.>`);
    const since = await storedAt(bus, { stream: 'JOBS', seq: delivered.stream_seq + 1, subject });
    return since === undefined ? 0 : Math.max(0, timeOf(ts) - since);
  };
  return [
    age().then((oldestMs) => ({
      queue,
      priority: priorityOf(lane),
      pending: num_pending,
      inFlight: num_ack_pending,
      redelivered: num_redelivered,
      pulls: num_waiting,
      oldestMs,
    })),
  ];
}

/** A queue that no worker has ever served has no consumer: what waits there is seen by its subjects alone. */
async function unservedLane(bus: Bus, count: LaneCount, now: number): Promise<LaneView> {
  const { queue, lane, messages } = count;
  const priority = priorityOf(lane);
  const subject = inNamespace(inside(bus), `jobs.${queue}.${lane}.>`);
  const since = await storedAt(bus, { stream: 'JOBS', seq: 1, subject });
  const oldestMs = since === undefined ? 0 : Math.max(0, now - since);
  return { queue, priority, pending: messages, inFlight: 0, redelivered: 0, pulls: 0, oldestMs };
}

function timeOf(ts: string | undefined): number {
  return ts === undefined ? Date.now() : Date.parse(ts);
}
