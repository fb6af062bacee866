import {
  type Bus,
  type CancelledKeys,
  type EventPublisher,
  type JobSource,
  serveHeld,
} from '@jetbeat/jetstream';
import type { Log } from '@jetbeat/runtime';
import type { LetGo } from './ends/let-go.ts';
import type { Settle } from './ends/settle.ts';
import { createWithdraw } from './ends/withdraw.ts';
import { answerHeld, type HeldJobs } from './held-jobs.ts';
import { createHandOver, type HandOverParams } from './pulling/hand-over.ts';
import type { Pace } from './pulling/pace.ts';
import type { Ready } from './running/ready.ts';
import { createStartTeller } from './running/start-teller.ts';

/** What a worker does beside its jobs, from when it is composed until it has stopped. */
export function startDuties(params: {
  worker: string;
  bus: Bus;
  events: EventPublisher;
  jobs: HeldJobs;
  ready: Ready;
  letGo: LetGo;
  pace: Pace;
  sources: ReadonlyMap<string, JobSource>;
  /** How many pulls of all workers wait on a lane. */
  pullsOn: HandOverParams['pullsOn'];
  cancelled: CancelledKeys;
  settle: Settle;
  now: () => number;
  log: Log;
}): { stop(): Promise<void> } {
  const { worker, bus, events, jobs, ready, letGo, pace, sources, now, log } = params;
  const withdraw = createWithdraw({ jobs, ready, letGo, settle: params.settle });
  const hearNoMore = params.cancelled.listen(withdraw);
  const teller = createStartTeller({ held: jobs, events, worker, now });
  const handOver = createHandOver({
    ready,
    sources,
    pace,
    pullsOn: params.pullsOn,
    refuse: letGo.refuse,
    onError: (error) =>
      log.warn({ err: error }, 'cannot tell who else waits for jobs; what waits here stays'),
  });
  const answer = answerHeld({
    jobs,
    drop(held) {
      const waits = ready.drop(held);
      if (waits) letGo.discard(held);
      return waits;
    },
  });
  const serving = serveHeld(bus, worker, answer, { log });
  return {
    async stop() {
      hearNoMore();
      teller.stop();
      handOver.stop();
      await serving.close();
    },
  };
}
