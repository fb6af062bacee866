import { JetbeatError } from '@jetbeat/core';
import { type Bus, inside } from '../connection/bus.ts';
import { pause, within } from '../connection/pause.ts';
import { type EventsState, eventsState } from '../streams/stream-state.ts';

/** History could not be brought up to date in time, so nothing can be said about what it does not hold. */
export class HistoryBehindError extends JetbeatError {
  /** @param behind event batches; undefined: NATS has not told */
  constructor(behind: number | undefined, waitedMs: number) {
    super(
      'history_behind',
      behind === undefined
        ? `NATS has not told within ${Math.round(waitedMs)} ms how far history is; is it reachable?`
        : `history is ${behind} event batches behind after ${Math.round(waitedMs)} ms; is PostgreSQL reachable?`,
    );
  }
}

const FIRST_PAUSE_MS = 5;
const MAX_PAUSE_MS = 50;

/**
 * Waits until every event that was stored before the call is in PostgreSQL, whichever recorder put it there: the
 * durable consumer's ack floor says so, since only what was committed is acknowledged. A server that does not answer is waited for no longer
 * either: who asks has promised an answer to somebody.
 * @throws HistoryBehindError after `timeoutMs`; JetStreamCallError, BusClosedError
 */
export async function readToEnd(params: { bus: Bus; timeoutMs: number }): Promise<void> {
  const { bus, timeoutMs } = params;
  const end = performance.now() + timeoutMs;
  const look = async (behind?: number): Promise<EventsState> => {
    const state = await within(eventsState(bus), Math.max(0, end - performance.now()));
    if (!state) throw new HistoryBehindError(behind, timeoutMs);
    return state;
  };
  const first = await look();
  const target = first.lastSeq;
  let state = first;
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(2 * wait, MAX_PAUSE_MS)) {
    const { lastSeq, recordedUpTo } = state;
    // A store that was made anew starts again at 1: then there is nothing old to wait for.
    if (recordedUpTo >= Math.min(target, lastSeq)) return;
    if (performance.now() + wait > end) throw new HistoryBehindError(target - recordedUpTo, timeoutMs);
    await pause(wait, inside(bus).closing.signal);
    state = await look(target - recordedUpTo);
  }
}
