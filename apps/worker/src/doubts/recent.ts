/** How many neighbouring stream sequences are kept together. */
const CHUNK = 4_096;
/** At most so many chunks, whatever their age: 32 MB, and 8 million sequences. */
const MAX_CHUNKS = 2_048;

interface Chunk {
  /** A mark of the job's id by place in the chunk; 0: not settled here. */
  readonly marks: Uint32Array;
  /** When the last one was added, Unix milliseconds. */
  at: number;
}

/**
 * The messages that this worker has settled lately. A server that was killed can hand a finished job out again as if new;
 * what stands here is acknowledged at once, without a question to anybody.
 */
export interface Recent {
  /** @param seq stream sequence of the message */
  add(seq: number, id: string): void;
  /** Whether this message was settled here. */
  has(seq: number, id: string): boolean;
}

/**
 * Remembers for `keepMs` milliseconds (2 x ack_wait), and at most 8 million sequences. A forgotten message comes back with
 * its own sequence, so four bytes for each are enough; other messages of the same job are suspect by themselves. The
 * sequence alone would not do: a stream that lost its tail, or all, gives the same numbers to new jobs. So a mark of the
 * id stands by it: 32 of its random bits.
 */
export function createRecent(params: { keepMs: number; now: () => number }): Recent {
  const { keepMs, now } = params;
  // A Map keeps the order of insertion; a chunk that is added to again after a while only lives a little longer.
  const chunks = new Map<number, Chunk>();
  const forget = (before: number) => {
    for (const [number, chunk] of chunks) {
      if (chunk.at >= before && chunks.size <= MAX_CHUNKS) return;
      chunks.delete(number);
    }
  };
  return {
    add(seq, id) {
      const at = now();
      const number = Math.floor(seq / CHUNK);
      let chunk = chunks.get(number);
      if (!chunk) {
        chunk = { marks: new Uint32Array(CHUNK), at };
        chunks.set(number, chunk);
        forget(at - keepMs);
      }
      chunk.at = at;
      chunk.marks[seq % CHUNK] = markOf(id);
    },
    has(seq, id) {
      const chunk = chunks.get(Math.floor(seq / CHUNK));
      return chunk !== undefined && chunk.at >= now() - keepMs && chunk.marks[seq % CHUNK] === markOf(id);
    },
  };
}

/** The last eight hex digits of a UUID are random in every version that we make; never 0. */
function markOf(id: string): number {
  return Number.parseInt(id.slice(-8), 16) || 1;
}
