import type { JobSource, PullEnd } from '@jetbeat/jetstream';
import type { Lane } from './lanes.ts';

/** A pull that waits while there is nothing to do asks for one job only, so that a neighbour can have the next. */
const IDLE_BATCH = 1;
/** Longest wait of an idle pull, milliseconds; also how late a lost one is noticed. */
const IDLE_MS = 5_000;
/** Largest pull. */
const MAX_BATCH = 512;
/** How long a server that refuses pulls is left alone, milliseconds. */
const REFUSED_MS = 250;

/** What fetching needs of the worker. */
export interface FetchParams {
  readonly sources: ReadonlyMap<string, JobSource>;
  readonly turns: { next(): readonly Lane[]; readonly all: readonly Lane[] };
  /** How many more jobs may be held now, outstanding pulls not counted. */
  readonly room: () => number;
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

/**
 * A busy worker asks the lanes of one turn in order with pulls that do not wait, until its room is used up; when all were
 * empty, it leaves one small waiting pull on every lane, and whichever brings something starts the next turn.
 */
export function createFetch(params: FetchParams & { now: () => number }): Fetch {
  const { sources, turns, room, now } = params;
  let stopped = false;
  /** Lanes that are still to be asked in this turn; undefined: no turn is on. */
  let turn: Lane[] | undefined;
  /** The lane that was asked last in this turn and has not answered. */
  let asked: Lane | undefined;
  let lastProgress = now();
  let pause: NodeJS.Timeout | undefined;

  const waiting = (lane: Lane) => (sources.get(lane.queue)?.outstanding(lane.priority) ?? 0) > 0;

  const askNext = () => {
    asked = undefined;
    const free = Math.min(MAX_BATCH, room());
    if (free <= 0 || stopped) {
      turn = undefined;
      return;
    }
    asked = turn?.shift();
    if (asked) {
      sources.get(asked.queue)?.pull(asked.priority, { batch: free, noWait: true });
      return;
    }
    turn = undefined;
    for (const lane of turns.all) {
      if (!waiting(lane))
        sources.get(lane.queue)?.pull(lane.priority, { batch: IDLE_BATCH, expiresMs: IDLE_MS });
    }
  };

  const fill = () => {
    if (stopped || turn || pause || room() <= 0) return;
    turn = [...turns.next()];
    askNext();
  };

  return {
    fill,
    ended(queue, end) {
      lastProgress = now();
      if (stopped) return;
      if (end.status === 'refused' || end.status === 'lost') {
        turn = undefined;
        asked = undefined;
        pause ??= setTimeout(() => {
          pause = undefined;
          fill();
        }, REFUSED_MS);
        return;
      }
      // An idle pull may end while a turn is on; the turn goes on by its own answer.
      if (!turn) fill();
      else if (asked?.queue === queue && asked.priority === end.priority && end.status !== 'expired')
        askNext();
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
