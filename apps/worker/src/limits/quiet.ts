import { setTimeout as delay } from 'node:timers/promises';

/** A while in which nobody takes slots, nor gives any on: all who hold some say so again. */
export interface Quiet {
  readonly isOn: boolean;
  /** It begins, or begins anew. */
  begin(): void;
  /** Resolves when it is over, or the worker has stopped. */
  whenOver(): Promise<void>;
}

/** Off at first. `ms`: how long it lasts. */
export function createQuiet({ ms, stopped }: { readonly ms: number; readonly stopped: AbortSignal }): Quiet {
  let until = Number.NEGATIVE_INFINITY;
  const left = () => until - performance.now();
  return {
    get isOn() {
      return left() > 0;
    },
    begin() {
      until = performance.now() + ms;
    },
    async whenOver() {
      while (left() > 0 && !stopped.aborted)
        await delay(left(), undefined, { signal: stopped }).catch(() => {});
    },
  };
}
