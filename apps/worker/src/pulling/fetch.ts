import type { JobSource, PullEnd } from '@jetbeat/jetstream';
import type { Lane, Turns } from './lanes.ts';

/**
 * A pull that waits while there is nothing to do asks for one job, and for up to so many where they come one after the other:
 * a pull for each costs nats-server more than the job. It serves pulls that wait in turns, so a neighbour has its share.
 */
const MAX_IDLE_BATCH = 64;
/** A waiting pull that is used up sooner than this was small for what comes, milliseconds. */
const SHORT_MS = 10;
/**
 * Longest wait of an idle pull, milliseconds; also how late a lost one is noticed. A worker that has become full meanwhile may still
 * get what comes by it: less than half of the time for which a slot is kept for what was parked.
 */
const IDLE_MS = 5_000;
/** Largest pull. */
const MAX_BATCH = 512;
/** The next pull goes out when no more than this is still to come: what it takes to work that off is longer than a round trip. */
const AHEAD = 256;
/** How long a server that refuses pulls is left alone, milliseconds. */
const REFUSED_MS = 250;

/** What fetching needs of the worker. */
export interface FetchParams {
  readonly sources: ReadonlyMap<string, JobSource>;
  readonly turns: Turns;
  /** How many more jobs may be held now, outstanding pulls not counted. */
  readonly room: () => number;
  /** The same for one queue alone. Default: no bound of its own. */
  readonly roomOf?: ((queue: string) => number) | undefined;
  /** Whether so much room is worth a pull; none is not. While others wait, many small pulls would cost more than they bring. */
  readonly isWorth: (room: number) => boolean;
  readonly now: () => number;
}

/** Keeps pulls out for as many jobs as there is room, the lanes by weighted turn. */
export interface Fetch {
  /** There is one more queue; its source is among the sources. */
  add(queue: string): void;
  /** A queue is asked no more, and what was asked of it counts no more. */
  remove(queue: string): void;
  /** There may be room: pull. */
  fill(): void;
  /** To be told of every end of a pull. */
  ended(queue: string, end: PullEnd): void;
  /** Pulls no more. */
  stop(): void;
  /** Unix milliseconds of the last sign that pulls go out and come back. */
  readonly lastProgress: number;
}

/** A lane, and what is known of it. */
interface LaneState {
  readonly lane: Lane;
  readonly source: JobSource;
  /** It had no more when it was asked last. */
  empty: boolean;
  /** Its waiting pull has just brought all that it asked for. */
  woken: boolean;
  /** What its next waiting pull asks for; what the last one asked for, and when it went out. */
  idleBatch: number;
  waitsFor: number;
  waitingSince: number;
}

/**
 * A busy worker asks one lane after the other with pulls that do not wait, each time the one whose turn it is, until its room
 * is used up; the next one a little before the last has brought all. A lane that was empty gets one small pull that waits, and
 * is asked no more; when that is used up it is asked again, and the next waiting pull goes out at once, so that what comes a
 * moment later meets one too. Once a waiting pull has expired and there is room again, its lane is asked in its turn: a worker
 * without room takes nothing away from idle ones.
 */
export function createFetch(params: FetchParams): Fetch {
  const { turns, room, roomOf = () => Number.POSITIVE_INFINITY, isWorth, now } = params;
  const states = new Map<Lane, LaneState>();
  let lanes: readonly LaneState[] = [];
  const look = () => {
    const all = turns.all;
    for (const lane of states.keys()) if (!all.includes(lane)) states.delete(lane);
    for (const lane of all) {
      const source = params.sources.get(lane.queue);
      if (!source || states.has(lane)) continue;
      const unknown = { empty: false, woken: false, idleBatch: 1, waitsFor: 0, waitingSince: 0 };
      states.set(lane, { lane, source, ...unknown });
    }
    lanes = [...states.values()];
  };
  look();
  let stopped = false;
  /** The lane that was asked last. */
  let asked: LaneState | undefined;
  let lastProgress = now();
  let pause: NodeJS.Timeout | undefined;

  const outstanding = ({ lane, source }: LaneState) => source.outstanding(lane.lane);
  /** It brings enough as it is, or it waits for something to come. */
  const isServed = (state: LaneState) => outstanding(state) > (state.empty ? 0 : AHEAD);
  /** What is on its way of these lanes; the one that a waiting pull may bring is not counted. */
  const comingOf = (some: readonly LaneState[]) =>
    some.reduce((sum, state) => (state.empty ? sum : sum + outstanding(state)), 0);
  /** How many more may be asked for of its queue. */
  const openOf = ({ lane: { queue } }: LaneState) => {
    const most = roomOf(queue);
    if (most === Number.POSITIVE_INFINITY) return most;
    return most - comingOf(lanes.filter((other) => other.lane.queue === queue));
  };

  /** For what comes; what was parked comes back one by one, by the lane in front. */
  const isPlain = ({ lane }: LaneState) => lane.lane === lane.priority;
  /** All waiting pulls together may bring half of the room, or one each. */
  const idleBatch = (state: LaneState) =>
    isPlain(state)
      ? Math.max(1, Math.min(state.idleBatch, Math.floor(room() / lanes.length), openOf(state)))
      : 1;
  const wait = (state: LaneState) => {
    state.waitingSince = now();
    state.waitsFor = idleBatch(state);
    state.source.pull(state.lane.lane, { batch: state.waitsFor, expiresMs: IDLE_MS });
  };
  const ask = (state: LaneState, open: number) => {
    const waiting = state.woken ? idleBatch(state) : 0;
    const alsoWait = waiting > 0 && open > waiting;
    const batch = Math.min(MAX_BATCH, alsoWait ? open - waiting : open);
    state.woken = false;
    state.waitsFor = 0;
    asked = state;
    turns.took(state.lane, batch);
    state.source.pull(state.lane.lane, { batch, noWait: true });
    if (alsoWait) wait(state);
  };

  /** It is not known to be empty, and its queue may give more. */
  const mayHave = (lane: Lane) => {
    const state = states.get(lane);
    return state !== undefined && !(state.empty && isServed(state)) && openOf(state) > 0;
  };

  const isBound = (queue: string) => roomOf(queue) !== Number.POSITIVE_INFINITY;

  const fill = () => {
    if (stopped || pause || (asked && isServed(asked)) || !isWorth(room())) return;
    const open = room() - comingOf(lanes);
    if (!isWorth(open)) return;
    const lane = turns.next(mayHave, isBound);
    const state = lane && states.get(lane);
    if (state && !isServed(state)) ask(state, Math.min(open, openOf(state)));
  };

  const note = (state: LaneState, { status, undelivered }: PullEnd) => {
    // What a waiting pull asks for is counted when it has come.
    if (status !== 'expired' && !(state.empty && state.waitsFor > 0)) turns.took(state.lane, -undelivered);
    if (status === 'empty') {
      state.empty = true;
      if (room() > 0 && outstanding(state) === 0 && openOf(state) > 0) wait(state);
    } else if (status === 'done' && state.empty) {
      state.empty = false;
      state.woken = true;
      turns.took(state.lane, state.waitsFor);
      const isShort = now() - state.waitingSince < SHORT_MS;
      state.idleBatch = isShort
        ? Math.min(MAX_IDLE_BATCH, 2 * state.idleBatch)
        : Math.ceil(state.idleBatch / 2);
    }
  };

  return {
    fill,
    add(queue) {
      turns.add(queue);
      look();
    },
    remove(queue) {
      turns.remove(queue);
      look();
      if (asked?.lane.queue === queue) asked = undefined;
    },
    ended(queue, end) {
      lastProgress = now();
      const state = lanes.find(({ lane }) => lane.queue === queue && lane.lane === end.lane);
      if (stopped || !state) return;
      note(state, end);
      if (asked === state && (state.empty || outstanding(state) === 0)) asked = undefined;
      if (end.status === 'refused' || end.status === 'lost') {
        pause ??= setTimeout(() => {
          pause = undefined;
          fill();
        }, REFUSED_MS);
      } else {
        fill();
      }
    },
    stop() {
      stopped = true;
      clearTimeout(pause);
      pause = undefined;
    },
    get lastProgress() {
      return lastProgress;
    },
  };
}
