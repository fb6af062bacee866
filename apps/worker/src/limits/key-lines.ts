import type { Held } from '../held.ts';

/** A job in this worker's hands that waits for a slot which another job here has. */
interface InLine<Answer> {
  readonly held: Held;
  readonly limit: number;
  answer(answer: Answer): void;
}

/**
 * Jobs that wait here for slots of keys, in the order they came. A slot goes from one to the next without a way over JetStream, so
 * that what comes one after the other is not parked for a moment each time.
 */
export interface KeyLines<Answer> {
  readonly size: number;
  /** Whether one more may wait. */
  readonly open: boolean;
  /** Resolves when it is answered. */
  add(hash: string, held: Held, limit: number): Promise<Answer>;
  first(hash: string): InLine<Answer> | undefined;
  /** The first of the line is answered, and waits no more. */
  next(hash: string, answer: Answer): void;
  /** Answers all that wait, and takes no more. */
  close(answer: Answer): void;
}

/** A line moves when its first gets a slot; so often it is looked whether it does, milliseconds. */
const LOOK_MS = 50;

/** The line of one key. Times by `performance.now()`. */
interface Line<Answer> {
  readonly waiting: (InLine<Answer> & { readonly since: number })[];
  movedAt: number;
  /** It was told of: once is enough, however long NATS is away. */
  late: boolean;
}

/**
 * @param params.most so many may wait in all
 * @param params.stillMs for so long a line may stand still
 * @param params.waitMs for so long a job may wait
 * @param params.onLate none of this line should wait here any longer; called once, so it goes on until the line is empty
 */
export function createKeyLines<Answer>(params: {
  readonly most: () => number;
  readonly stillMs: number;
  readonly waitMs: number;
  readonly onLate: (hash: string) => void;
}): KeyLines<Answer> {
  const { most, stillMs, waitMs, onLate } = params;
  const lines = new Map<string, Line<Answer>>();
  let size = 0;
  let closed = false;
  let looks: NodeJS.Timeout | undefined;

  const look = () => {
    if (lines.size === 0) {
      clearInterval(looks);
      looks = undefined;
    }
    const now = performance.now();
    for (const [hash, line] of lines) {
      const since = line.waiting[0]?.since ?? now;
      if (line.late || (now - line.movedAt < stillMs && now - since < waitMs)) continue;
      line.late = true;
      onLate(hash);
    }
  };
  return {
    get size() {
      return size;
    },
    get open() {
      return !closed && size < most();
    },
    add(hash, held, limit) {
      return new Promise((answer) => {
        const since = performance.now();
        const line = lines.get(hash) ?? { waiting: [], movedAt: since, late: false };
        lines.set(hash, line);
        line.waiting.push({ held, limit, answer, since });
        size++;
        looks ??= setInterval(look, LOOK_MS);
      });
    },
    first: (hash) => lines.get(hash)?.waiting[0],
    next(hash, answer) {
      const line = lines.get(hash);
      const first = line?.waiting.shift();
      if (!line || !first) return;
      size--;
      line.movedAt = performance.now();
      if (line.waiting.length === 0) lines.delete(hash);
      first.answer(answer);
    },
    close(answer) {
      closed = true;
      clearInterval(looks);
      const all = [...lines.values()].flatMap(({ waiting }) => waiting);
      lines.clear();
      size = 0;
      for (const one of all) one.answer(answer);
    },
  };
}
