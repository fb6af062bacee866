import { openWantedEndings } from '@jetbeat/jetstream';
import type { EnqueueChild } from '@jetbeat/task';
import { createDoubts, type Doubts } from '../doubts/doubts.ts';
import type { Held } from '../held.ts';
import type { Measures } from '../measures.ts';
import type { WorkerParams } from '../worker-params.ts';
import { createCallBack } from './call-back.ts';
import { createGiveBack } from './give-back.ts';
import { jobLog, logOutcome } from './log-outcome.ts';
import type { OwnRetries } from './own-retries.ts';
import { createPark, type Park } from './park.ts';
import { createSettle, type Settle } from './settle.ts';

/** How a worker comes to the end of a step, each counted. */
export interface Ends {
  readonly settle: Settle;
  readonly park: Park;
  readonly doubts: Doubts;
  /** Gives back a job that has begun. */
  readonly giveBack: (held: Held) => Promise<void>;
}

/** Composes them. */
export function createEnds(params: {
  worker: WorkerParams;
  own: OwnRetries;
  measures: Measures;
  enqueueOf: (held: Held) => EnqueueChild;
  now: () => number;
  stopped: AbortSignal;
  onRetry: (error: unknown, what: string) => void;
}): Ends {
  const { own, measures, enqueueOf, now, stopped, onRetry } = params;
  const { id, bus, events, tasks, settings, times, log, ports } = params.worker;
  const shared = { bus, events, now, stopped, onRetry };
  const callBack = createCallBack({ ...shared, settings, tasks, enqueueOf, log });
  const settle = createSettle({
    ...shared,
    worker: id,
    own,
    callBack: { ...callBack, make: ports?.callBack?.(callBack.make) ?? callBack.make },
    wanted: openWantedEndings(bus),
    random: Math.random,
    onSettled: (held, execution, next) => {
      measures.settled(held, execution.outcome);
      if (next.state !== 'succeeded' || log.isLevelEnabled('debug'))
        logOutcome(jobLog(log, held), held, execution, next);
    },
  });
  const doubts = createDoubts({
    bus,
    timeoutMs: times.doubtMs,
    onError: (error) => log.warn({ err: error }, 'no answer to a doubt; the jobs are parked'),
  });
  return {
    settle,
    park: measures.countedPark(createPark(shared)),
    doubts: measures.counted(doubts),
    giveBack: measures.countedGiveBack(createGiveBack({ worker: id, bus, events, now })),
  };
}
