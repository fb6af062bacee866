import type { JobSource, PullEnd } from '@jetbeat/jetstream';
import type { Lane } from './lanes.ts';

/**
 * A pull that waits while there is nothing to do asks for one job, and for up to so many where they come one after the other:
 * a pull for each costs nats-server more than the job. It serves pulls that wait in turns, so a neighbour has its share.
 */
const MAX_IDLE_BATCH = 64;
/** A waiting pull that is used up sooner than this was small for what comes, milliseconds. */
const SHORT_MS = 10;
/** Longest wait of an idle pull, milliseconds; also how late a lost one is noticed. */
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
  readonly turns: { next(): readonly Lane[]; readonly all: readonly Lane[] };
  /** How many more jobs may be held now, outstanding pulls not counted. */
  readonly room: () => number;
  /** Whether so much room is worth a pull; none is not. While others wait, many small pulls would cost more than they bring. */
  readonly isWorth: (room: number) => boolean;
  readonly now: () => number;
}

/** Keeps pulls out for as many jobs as there is room, the lanes by weighted turn. */
export interface Fetch {
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
interface LaneState extends Lane {
  readonly source: JobSource;
  /** It had no more when it was asked last. */
  empty: boolean;
  /** Its waiting pull has just brought all that it asked for. */
  woken: boolean;
  /** What its next waiting pull asks for, and when the last one went out. */
  idleBatch: number;
  waitingSince: number;
}

/**
 * A busy worker asks the lanes of one turn in order with pulls that do not wait, until its room is used up; the next one a
 * little before the last has brought all. A lane that was empty gets one small pull that waits, and is asked no more; when
 * that is used up it is asked again, and the next waiting pull goes out at once, so that what comes a moment
 * later meets one too.
 */
export function createFetch(params: FetchParams): Fetch {
  const { turns, room, isWorth, now } = params;
  const lanes = turns.all.flatMap((lane): LaneState[] => {
    const source = params.sources.get(lane.queue);
    return source ? [{ ...lane, source, empty: false, woken: false, idleBatch: 1, waitingSince: 0 }] : [];
  });
  const stateOf = ({ queue, priority }: Lane) =>
    lanes.find((lane) => lane.queue === queue && lane.priority === priority);
  let stopped = false;
  /** Lanes that are still to be asked in this turn. */
  let turn: LaneState[] = [];
  /** The lane that was asked last. */
  let asked: LaneState | undefined;
  let lastProgress = now();
  let pause: NodeJS.Timeout | undefined;

  const outstanding = (lane: LaneState) => lane.source.outstanding(lane.priority);
  /** It brings enough as it is, or it waits for something to come. */
  const isServed = (lane: LaneState) => outstanding(lane) > (lane.empty ? 0 : AHEAD);
  /** What is on its way; the one that a waiting pull may bring is not counted. */
  const coming = () => lanes.reduce((sum, lane) => (lane.empty ? sum : sum + outstanding(lane)), 0);

  /** All waiting pulls together may bring half of the room, or one each. */
  const idleBatch = (lane: LaneState) =>
    Math.max(1, Math.min(lane.idleBatch, Math.floor(room() / (2 * lanes.length))));
  const wait = (lane: LaneState) => {
    lane.waitingSince = now();
    lane.source.pull(lane.priority, { batch: idleBatch(lane), expiresMs: IDLE_MS });
  };
  const ask = (lane: LaneState, room: number) => {
    const waiting = lane.woken ? idleBatch(lane) : 0;
    const alsoWait = waiting > 0 && room > waiting;
    const batch = Math.min(MAX_BATCH, alsoWait ? room - waiting : room);
    lane.woken = false;
    asked = lane;
    lane.source.pull(lane.priority, { batch, noWait: true });
    if (alsoWait) wait(lane);
  };

  /** The next lane of this turn, or of a new one, that is worth asking. */
  const nextLane = (): LaneState | undefined => {
    if (!turn.some((lane) => !isServed(lane))) turn = turns.next().flatMap((lane) => stateOf(lane) ?? []);
    const next = turn.findIndex((lane) => !isServed(lane));
    const lane = turn[next];
    turn = lane ? turn.slice(next + 1) : [];
    return lane;
  };

  const fill = () => {
    if (stopped || pause || (asked && isServed(asked)) || !isWorth(room())) return;
    const open = room() - coming();
    if (!isWorth(open)) {
      // The next turn begins with the lane whose turn it is.
      turn = [];
      return;
    }
    const lane = nextLane();
    if (lane) ask(lane, open);
  };

  const note = (lane: LaneState, { status }: PullEnd) => {
    if (status === 'empty') {
      lane.empty = true;
      if (room() > 0 && outstanding(lane) === 0) wait(lane);
    } else if (status === 'done' && lane.empty) {
      lane.empty = false;
      lane.woken = true;
      const isShort = now() - lane.waitingSince < SHORT_MS;
      lane.idleBatch = isShort ? Math.min(MAX_IDLE_BATCH, 2 * lane.idleBatch) : Math.ceil(lane.idleBatch / 2);
    }
  };

  return {
    fill,
    ended(queue, end) {
      lastProgress = now();
      const lane = stateOf({ queue, priority: end.priority });
      if (stopped || !lane) return;
      note(lane, end);
      if (asked === lane && (lane.empty || outstanding(lane) === 0)) asked = undefined;
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
