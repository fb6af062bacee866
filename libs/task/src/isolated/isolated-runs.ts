import { AsyncLocalStorage } from 'node:async_hooks';
import type { Isolated, JobEnvelope, Policy } from '@jetbeat/core';
import type { TellProgress } from '../attempt-context.ts';
import type { EnqueueChild } from '../child-calls.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { TaskLog } from '../context.ts';
import type { Execution } from '../execution.ts';
import type { Interrupt } from '../interrupt.ts';
import { type Box, ChildLostError, CLOSE_MS, START_MS } from './box.ts';
import { createBoxPool } from './box-pool.ts';
import type { WrittenSettings } from './messages.ts';
import { openProcessBox } from './process-box.ts';
import { runInBox, stoppedBy } from './run-in-box.ts';
import type { RunsTracing } from './runs-tracing.ts';
import type { TaskSource } from './task-source.ts';
import { openThreadBox } from './thread-box.ts';
import { createUntilStarted } from './until-started.ts';

/** One attempt to be made apart from the worker's own thread. */
export interface IsolatedRun {
  readonly isolation: Isolated;
  /** In a child process that runs nothing else, before or after. */
  readonly alone?: boolean;
  readonly source: TaskSource;
  readonly job: JobEnvelope;
  readonly runId: string;
  readonly policy: Policy;
  readonly log: () => TaskLog;
  readonly enqueue: EnqueueChild;
  readonly progress?: TellProgress | undefined;
  readonly interrupt: Interrupt;
  /** What was `abandoned`, since native code held it, has ended after all. */
  readonly onLateEnd?: () => void;
}

/** Makes attempts in threads and child processes. */
export interface IsolatedRuns {
  /** Makes one attempt. Never fails; the hard time limit holds from when the thread or process takes the run. */
  execute(run: IsolatedRun): Promise<Execution>;
  /** Why no thread or child process can be started just now; undefined when no run waits for that. */
  readonly trouble: string | undefined;
  /** Whether the run with this interrupt waits for that; interrupted, it ends, and the job can be given back. */
  isWaiting(interrupt: Interrupt): boolean;
  /** How many threads, or child processes, there are. */
  count(kind: Isolated['kind']): number;
  /** Ends all of them, within 2 s or so. */
  stop(): Promise<void>;
}

/** How long a thread or a process that nobody needs is kept, milliseconds. */
const IDLE_MS = 30_000;
/** How long it is tried to start one for a run before the job is given back, milliseconds. */
const START_FOR_MS = 60_000;
/** How long all of them may take to end, milliseconds. */
const STOP_MS = CLOSE_MS + 1_000;
const ALONE: Isolated = { kind: 'process' };

/** @param params.max the most runs at once; it may change */
export function createIsolatedRuns(params: {
  readonly max: number | (() => number);
  readonly idleMs?: number;
  /** How long it is tried to start one for a run before the job is given back, in milliseconds. */
  readonly startForMs?: number;
  readonly clock?: Clock;
  /** Flags of Node for child processes, in place of the worker's own. */
  readonly execArgv?: readonly string[];
  /** MiB of heap of a thread, in place of what V8 gives it. */
  readonly threadMemory?: number;
  /** Of the worker. */
  readonly settings?: WrittenSettings | undefined;
  /** Present where tracing is on. */
  readonly tracing?: RunsTracing | undefined;
}): IsolatedRuns {
  const { max, idleMs = IDLE_MS, clock = systemClock, execArgv, threadMemory, settings, tracing } = params;
  const open = (isolation: Isolated): Box => {
    const box =
      isolation.kind === 'thread'
        ? openThreadBox(threadMemory)
        : openProcessBox({ watchesMemory: isolation.maxMemory !== undefined, execArgv });
    if (settings) box.send({ kind: 'settings', ...settings });
    if (tracing) box.send({ kind: 'tracing', module: tracing.module });
    return box;
  };
  const { startForMs: forMs = START_FOR_MS } = params;
  const starts = createUntilStarted({ clock, forMs });
  const pool = createBoxPool({ open, max: typeof max === 'number' ? () => max : max, idleMs, clock });
  const alone = new Set<Box>();
  let stopping: Promise<void> | undefined;

  const inBox = async (
    box: Box,
    run: IsolatedRun,
    onStarted: () => void,
    told: { onBegin: () => void; onMemory: (bytes: number) => void },
  ): Promise<Execution | ChildLostError> => {
    const { runId, job, policy, source, interrupt } = run;
    const stopped = await startedOr(box, interrupt, clock);
    if (stopped) return stopped;
    onStarted();
    // What the box asks for is done as if the handler had called it here: in its trace.
    const within = AsyncLocalStorage.snapshot();
    const trace = tracing?.traceparent();
    return await runInBox({
      box,
      interrupt,
      clock,
      tracing,
      ...told,
      run: { runId, job, policy, source, ...(trace === undefined ? {} : { trace }) },
      log: run.log,
      enqueue: (child, from) =>
        within(() =>
          from === undefined || !tracing
            ? run.enqueue(child)
            : tracing.within(from, () => run.enqueue(child)),
        ),
      progress: run.progress,
      onLateEnd: run.onLateEnd,
    });
  };

  const inPool = async (
    run: IsolatedRun,
    onStarted: () => void,
    again = true,
  ): Promise<Execution | ChildLostError> => {
    const pooled = pool.take(run.isolation, run.source);
    let begun = false;
    const execution = await inBox(pooled.box, run, onStarted, {
      onBegin: () => {
        begun = true;
      },
      onMemory: (bytes) => pool.noteMemory(pooled, bytes),
    }).finally(() => pool.give(pooled));
    if (execution instanceof ChildLostError) return execution;
    // Something has ended it while it was idle: that is no word about this job.
    return execution.outcome === 'lost' && !begun && again ? await inPool(run, onStarted, false) : execution;
  };

  const inOwn = async (run: IsolatedRun, onStarted: () => void): Promise<Execution | ChildLostError> => {
    const box = open(ALONE);
    alone.add(box);
    void box.ended.then(() => alone.delete(box));
    const told = { onBegin: () => {}, onMemory: () => {} };
    return await inBox(box, run, onStarted, told).finally(() => box.close());
  };

  return {
    async execute(run) {
      if (stopping !== undefined) return stoppedBy(new Error('the worker is stopping'));
      const attempt = (onStarted: () => void) => (run.alone ? inOwn : inPool)(run, onStarted);
      return await starts.make({ attempt, interrupt: run.interrupt, log: run.log });
    },
    get trouble() {
      return starts.trouble;
    },
    isWaiting: starts.isWaiting,
    count: (kind) => pool.count(kind) + (kind === 'process' ? alone.size : 0),
    stop() {
      stopping ??= (async () => {
        starts.stop();
        const gone = [...alone].map((box) => box.ended);
        for (const box of alone) box.close();
        const late = Promise.withResolvers<void>();
        const done = clock.after(STOP_MS, late.resolve);
        // A thread inside of native code goes with the process.
        await Promise.race([Promise.all([pool.stop(), ...gone]), late.promise]).finally(done);
      })();
      return stopping;
    },
  };
}

/** Waits until a box takes runs. Answers with what became of the run when it is stopped before that, or with why the box does not start. */
async function startedOr(
  box: Box,
  interrupt: Interrupt,
  clock: Clock,
): Promise<Execution | ChildLostError | undefined> {
  const { promise, resolve } = Promise.withResolvers<Execution | ChildLostError | undefined>();
  const stops = [
    clock.after(START_MS, () => {
      box.kill();
      resolve(new ChildLostError(`its thread or process did not start within ${START_MS} ms`));
    }),
    interrupt.listen((reason) => resolve(stoppedBy(reason))),
  ];
  if (interrupt.aborted) resolve(stoppedBy(interrupt.reason));
  void box.ready.then(() => (box.started ? resolve(undefined) : box.ended.then(resolve)));
  return await promise.finally(() => {
    for (const stop of stops) stop();
  });
}
