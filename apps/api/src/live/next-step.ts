import type { GapReason } from '@jetbeat/core/http';
import type { EventPlace } from './event-id.ts';
import type { HubPlace } from './hub.ts';

/** What is to be done next for a client that has been told up to some place. */
export type Step =
  /** It is where everybody is. */
  | { readonly do: 'listen' }
  /** Another process was told of more than this one has heard of yet. */
  | { readonly do: 'wait' }
  | { readonly do: 'read'; readonly from: number; readonly upTo: number }
  | { readonly do: 'gap'; readonly reason: GapReason };

/** Batches that a client can be behind when it comes back; more, and it is told of a gap. */
const MOST_BEHIND = 5_000;

/**
 * Decides it.
 * @param read batches that it has been told of since it came back: where more come than it reads, it would never be done
 */
export function nextStep(told: EventPlace, now: HubPlace | undefined, read: number): Step {
  if (!now || now.epoch !== told.epoch) return { do: 'gap', reason: 'restarted' };
  const isThere = told.seq > now.seq || (told.seq === now.seq && told.index === undefined);
  if (isThere) return { do: told.seq <= now.lastSeq ? 'listen' : 'wait' };
  const from = told.index === undefined ? told.seq + 1 : told.seq;
  if (read > MOST_BEHIND || now.seq - from > MOST_BEHIND) return { do: 'gap', reason: 'too-far' };
  return { do: 'read', from, upTo: now.seq };
}
