import type { LeaseMemory } from './lease-memory.ts';

/** The lease under which this worker holds slots, as its main thread sees it. */
export interface WorkerLease {
  /** Undefined while there is none, or it may be lost. */
  readonly name: string | undefined;
  /** The name as soon as there is one; nothing after 5 s, or while handlers run under one that was lost. */
  want(): Promise<string | undefined>;
  /** Handlers that run under a slot now: the process may not outlive its lease with them. */
  running(count: number): void;
  /** One more begins in this turn: said before its handler may block the event loop. The next count corrects it. */
  begins(): void;
  /** Called when it is lost: what runs under it has to stop. */
  onLost(fn: () => void): void;
}

/** The main thread's side, and what the thread's messages are handed to. */
export interface LeaseSide extends WorkerLease {
  told(name: string | undefined): void;
}

const WANT_MS = 5_000;

/** @param ask tells the thread that a lease is wanted */
export function createWorkerLease(memory: LeaseMemory, ask: () => void): LeaseSide {
  let name: string | undefined;
  let lost = false;
  const waiting = new Set<() => void>();
  const listeners = new Set<() => void>();
  const current = () => (name !== undefined && !memory.isLost ? name : undefined);
  return {
    get name() {
      return current();
    },
    async want() {
      if (current() !== undefined || (lost && memory.running > 0)) return current();
      ask();
      await new Promise<void>((resolve) => {
        const done = () => {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, WANT_MS);
        waiting.add(done);
      });
      return current();
    },
    running(count) {
      memory.running = count;
    },
    begins() {
      memory.running += 1;
    },
    onLost: (fn) => void listeners.add(fn),
    told(next) {
      name = next;
      lost = next === undefined;
      if (next === undefined) for (const listener of listeners) listener();
      else for (const done of waiting) done();
    },
  };
}
