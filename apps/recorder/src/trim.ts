import { type Bus, eventsState, trimEvents } from '@jetbeat/jetstream';

/** What is known of EVENTS when it is decided how much of it may go. */
export interface TrimState {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly messages: number;
  readonly bytes: number;
  readonly maxBytes: number;
  /** Everything up to this sequence is in PostgreSQL. */
  readonly recordedUpTo: number;
  /** JetStream's files are short of room: nothing is kept for live readers. */
  readonly tight: boolean;
}

/**
 * The last sequence that may go, or 0: only what PostgreSQL holds, and of that what is older than `oldSeq` or over a
 * quarter of the stream's room. The rest stays for live readers, unless its room is needed for jobs.
 * @param oldSeq the newest sequence that is older than live readers may go back
 */
export function trimUpTo(state: TrimState, oldSeq: number): number {
  const { firstSeq, lastSeq, messages, bytes, maxBytes, recordedUpTo, tight } = state;
  if (messages === 0) return 0;
  const spare = bytes - maxBytes / 4;
  const overRoom = spare > 0 ? firstSeq - 1 + Math.ceil((spare * messages) / bytes) : 0;
  const unwanted = tight ? lastSeq : Math.max(overRoom, oldSeq);
  const upTo = Math.min(unwanted, recordedUpTo, lastSeq);
  return upTo >= firstSeq ? upTo : 0;
}

/** Remembers when which sequence was the last, so that a time can be turned into a sequence. */
export interface SequenceClock {
  note(seq: number, at: number): void;
  /** The newest sequence known to have been stored at or before `at`, or 0. */
  seqAt(at: number): number;
}

/** Keeps one entry per `everyMs`, as many as `keepMs` needs. */
export function createSequenceClock({ everyMs, keepMs }: { everyMs: number; keepMs: number }): SequenceClock {
  const entries: { seq: number; at: number }[] = [];
  const most = Math.ceil(keepMs / everyMs) + 2;
  return {
    note(seq, at) {
      const last = entries.at(-1);
      if (last && seq < last.seq) entries.length = 0;
      else if (last && at - last.at < everyMs) return;
      entries.push({ seq, at });
      if (entries.length > most) entries.shift();
    },
    seqAt(at) {
      return entries.findLast((entry) => entry.at <= at)?.seq ?? 0;
    },
  };
}

/** Messages removed in one step: a purge holds the stream's lock, and publishers wait for it. */
const STEP = 2_000;

/** One step of trimming EVENTS. @returns how many messages went */
export async function trim(params: {
  bus: Bus;
  sequences: SequenceClock;
  now: number;
  liveMs: number;
  tight: boolean;
}): Promise<number> {
  const { bus, sequences, now, liveMs, tight } = params;
  const state = await eventsState(bus);
  sequences.note(state.lastSeq, now);
  const upTo = trimUpTo({ ...state, tight }, sequences.seqAt(now - liveMs));
  return upTo === 0 ? 0 : trimEvents(bus, { upTo, maxMessages: STEP });
}
