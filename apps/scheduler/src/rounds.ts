import type { SchedulerGap } from '@jetbeat/core';
import { type DueOccurrence, type Look, MAX_PASS_BYTES } from '@jetbeat/postgres';
import { fireDue } from './decide.ts';
import { type DispatchCounts, type DispatchParams, dispatch, type EventsMarks } from './dispatch.ts';
import { type MaterializeParams, materialize } from './materialize.ts';

/** What the rounds of a pass need. */
export type RoundsParams = Omit<DispatchParams, 'buffered' | 'budget'> &
  Pick<MaterializeParams, 'materializePass'> & {
    readonly gaps: readonly SchedulerGap[];
    /** How many bytes of jobs may be handed to `publish` now: the less of them the more are not published yet. */
    readonly room: () => number;
    /**
     * Where EVENTS stands: asked for when the time of the pass was taken, so that it lies behind every due time of it, and only by who needs it.
     * Undefined while NATS is away.
     */
    readonly events: () => Promise<EventsMarks | undefined>;
  };

/** What the rounds have done. */
export interface RoundCounts extends DispatchCounts {
  /** Occurrences written, due or missed. */
  readonly occurrences: number;
  /** Nominal times that came due, and that were missed. */
  readonly due: number;
  readonly missed: number;
}

/** Steps of planning and dispatching; after a long outage the next pass goes on, with the time that it is then. */
const ROUNDS = 8;
/** With less room than this the next round waits until more is published: it could only take a few. */
export const MIN_ROOM = MAX_PASS_BYTES / 2;
/** What is left for what is decided by itself, however much was fired before. */
const MIN_DISPATCH = MAX_PASS_BYTES / 4;

/** Plans, and decides what is not decided by that, in rounds, so that nothing new waits for all that is old. */
export async function workRounds(params: RoundsParams, seen: Look): Promise<RoundCounts> {
  const { room } = params;
  const { now, buffered, waiting } = seen;
  const fire = (due: DueOccurrence) => fireDue(params, due, now);
  // What was there to be decided before anything is planned.
  const standing = buffered || waiting || (seen.dueAt ?? now + 1) <= now;
  const counts = { occurrences: 0, due: 0, missed: 0, dispatched: 0, skipped: 0, buffered: 0, waiting: 0 };
  // More was there than fits into memory.
  let cut = false;
  for (let round = 0; round < ROUNDS && !cut && room() >= MIN_ROOM; round++) {
    const made = await materialize({ ...params, budget: room(), fire }, now);
    params.publish(made.fired);
    counts.occurrences += made.occurrences;
    counts.due += made.due;
    counts.missed += made.missed;
    counts.dispatched += made.fired.length;
    counts.skipped += made.skipped;
    ({ cut } = made);
    if (made.left || standing) {
      // Runs that may overlap ask for no history. Who needs it unknown to us waits for the next pass.
      const events = made.exclusive || buffered || waiting ? await params.events() : undefined;
      const budget = Math.max(room(), MIN_DISPATCH);
      const done = await dispatch({ ...params, buffered, budget }, now, events);
      counts.dispatched += done.dispatched;
      counts.skipped += done.skipped;
      counts.buffered += done.buffered;
      counts.waiting = done.waiting;
      cut ||= done.cut;
    }
    if (!made.more) break;
  }
  return counts;
}
