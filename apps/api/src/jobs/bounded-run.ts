import { createContext, Script } from 'node:vm';

/** What a run came to: its result; or it was ended, of its own doing or since the machine gave it no time. */
export type BoundedRun<Result> =
  | { readonly result: Result }
  | { readonly ended: 'too_long' | 'not_served'; readonly tookMs: number };

/** Where it got too little of a processor, it may try once more for so many times as long. */
const AGAIN = 4;

/**
 * Makes what ends code that runs too long, also in the middle of a regular expression, which nothing else can
 * (https://nodejs.org/api/vm.html#scriptrunincontextcontextifiedobject-options). It costs a tenth of a millisecond of processor time.
 * Only code that holds nothing open may be ended so: no `finally` runs.
 * @param spentMs processor time of this thread, milliseconds
 */
export function createBoundedRun(
  spentMs: () => number = threadMs,
): <Result>(limitMs: number, run: () => Result) => BoundedRun<Result> {
  const globals: { run?: () => void } = {};
  const context = createContext(globals);
  const script = new Script('run()');
  const attempt = (timeout: number, run: () => void) => {
    globals.run = run;
    try {
      script.runInContext(context, { timeout });
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    } finally {
      delete globals.run;
    }
  };
  return <Result>(limitMs: number, run: () => Result): BoundedRun<Result> => {
    const results: Result[] = [];
    const begun = performance.now();
    for (const timeout of [limitMs, limitMs * AGAIN]) {
      const before = spentMs();
      attempt(timeout, () => void results.push(run()));
      for (const result of results) return { result };
      // The limit is one of the clock: a machine that is busy elsewhere must not make a verdict about the input.
      if (spentMs() - before >= limitMs / 2) return { ended: 'too_long', tookMs: performance.now() - begun };
    }
    return { ended: 'not_served', tookMs: performance.now() - begun };
  };
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
