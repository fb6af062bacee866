import type { Log } from '@jetbeat/runtime';
import type { Held } from '../held.ts';

/** Handlers that were given up at their hard limit, run on, and keep a slot that all workers share. */
export interface Lingering {
  /** How many there are. */
  readonly count: number;
  add(held: Held): void;
  /** It has ended after all. */
  end(held: Held): void;
  /** Watches them no more. */
  stop(): void;
}

/**
 * Watches them. Nothing else can end such a handler than the end of its process, and while it runs on, a queue or a key with one slot
 * stands still for everybody.
 * @param params.forMs how long one may keep its slot, in milliseconds
 * @param params.onStuck called when one has; the worker is to end
 */
export function createLingering(params: {
  readonly forMs: number;
  readonly log: Pick<Log, 'error'>;
  readonly onStuck: (why: Error) => void;
}): Lingering {
  const { forMs, log, onStuck } = params;
  const timers = new Map<Held, NodeJS.Timeout>();
  let stopped = false;
  const end = (held: Held) => {
    clearTimeout(timers.get(held));
    timers.delete(held);
  };
  return {
    get count() {
      return timers.size;
    },
    add(held) {
      if (stopped) return;
      const { id, task, queue } = held.job;
      const stuck = () => {
        const kept = `a handler of ${task} has kept a slot of a limit for ${forMs} ms past its hard time limit`;
        const why = new Error(`${kept}: the worker ends, so that others get it`);
        log.error({ job: id, task, queue }, `${why.message}; let it obey ctx.signal, or isolate the task`);
        onStuck(why);
      };
      timers.set(held, setTimeout(stuck, forMs));
    },
    end,
    stop() {
      stopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}
