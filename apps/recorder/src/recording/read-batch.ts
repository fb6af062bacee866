import { type Event, MalformedMessageError, parseBatch } from '@jetbeat/core';
import { isSound } from './sound-event.ts';

/** What one message of EVENTS holds. `malformed`: the whole is no JSON array, so that nothing of it is known. */
export interface ReadBatch {
  readonly events: readonly Event[];
  readonly skipped: number;
  readonly malformed: boolean;
}

/**
 * Reads one message of EVENTS. It never throws on what the message holds: a stranger's bytes are counted and passed by,
 * since history behind them must go on.
 */
export function readBatch(data: Uint8Array): ReadBatch {
  try {
    const entries = parseBatch(data);
    const events = entries.filter(isSound);
    return { events, skipped: entries.length - events.length, malformed: false };
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error;
    return { events: [], skipped: 0, malformed: true };
  }
}
