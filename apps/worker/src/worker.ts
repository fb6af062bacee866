import type { Priority } from '@jetbeat/core';
import { consumerState, type Delivery, leaseTtlMs } from '@jetbeat/jetstream';
import type { Check, Readings } from '@jetbeat/runtime';
import { createRecent } from './doubts/recent.ts';
import { createRecheck } from './doubts/recheck.ts';
import { drain } from './drain.ts';
import { startDuties } from './duties.ts';
import { buryMalformed } from './ends/bury.ts';
import { enqueueFor } from './ends/children.ts';
import { createEnds } from './ends/ends.ts';
import { createTurnBack } from './ends/give-back.ts';
import { createLetGo } from './ends/let-go.ts';
import { jobLog } from './ends/log-outcome.ts';
import { createOwnRetries } from './ends/own-retries.ts';
import { untilDone } from './ends/until-done.ts';
import type { Held } from './held.ts';
import { HeldJobs } from './held-jobs.ts';
import { watchStall } from './keep-alive/stall.ts';
import { createLimits } from './limits/limits.ts';
import { Measures } from './measures.ts';
import { createAdmit } from './pulling/admit.ts';
import { createIntake } from './pulling/intake.ts';
import { createPace } from './pulling/pace.ts';
import { createPulling } from './pulling/pulling.ts';
import { createQueueGate } from './pulling/queue-gate.ts';
import { createRoom, mostInLine } from './pulling/room.ts';
import { readiness } from './readiness.ts';
import { createApart } from './running/apart.ts';
import { createAttemptTraces } from './running/attempt-trace.ts';
import { createChildless } from './running/childless.ts';
import { createLingering } from './running/lingering.ts';
import { createProgressTeller } from './running/progress.ts';
import { createReady } from './running/ready.ts';
import { createRun } from './running/run.ts';
import { createRunIds } from './running/run-ids.ts';
import { serveSteering } from './steer.ts';
import { createUniqueClaims } from './unique.ts';
import type { WorkerParams } from './worker-params.ts';

/** Composes the worker's parts: fetch -> intake -> ready -> run -> settle. */
export function createWorker(params: WorkerParams): {
  begin(): void;
  stop(): Promise<void>;
  checks(): Check[];
  /** What `/metrics` says of it. */
  readings(): Readings;
} {
  const { id, bus, events, cancelled, marks, slots, keepAlive } = params;
  const { tasks, times, log, shape, traces } = params;
  const now = () => Date.now();
  const stopped = new AbortController();
  const jobs = new HeldJobs();
  const recent = createRecent({ keepMs: 2 * params.ackWaitMs, now });
  const own = createOwnRetries({ aloneMs: params.ackWaitMs / 2 });
  const pace = createPace(shape);
  const measures = new Measures(shape.queues);
  const onRetry = (error: unknown, what: string) =>
    log.warn({ err: error }, `could not ${what}; trying again`);
  const shared = { bus, events, now, stopped: stopped.signal, onRetry };
  const enqueueOf = (held: Held) => enqueueFor({ bus, events, held, tracing: traces?.tracing });
  const { settle, park, doubts, giveBack } = createEnds({
    worker: params,
    own,
    measures,
    enqueueOf,
    now,
    onRetry,
    stopped: stopped.signal,
  });
  const recheck = createRecheck({
    marks,
    topology: () => params.topology(),
    onForgotten: own.forget,
    signal: stopped.signal,
    onRetry: (error) => onRetry(error, 'check the streams'),
  });

  const turnBack = createTurnBack({ worker: id, events, now });
  const letGo = createLetGo({
    jobs,
    turnBack,
    recent,
    keepAlive,
    stopped: stopped.signal,
    logOf: (held) => logOf(held),
    admit: (deliveries) => admit(deliveries),
    onRoom: () => fetch.fill(),
    onSlot: () => ready.next(),
    onKeySlot: (held) => limits.release(held),
  });
  const limits = createLimits({
    bus,
    events,
    shape,
    tasks,
    jobs,
    letGo,
    now,
    log,
    settings: params.settings,
    taskSettings: params.taskSettings,
    queueSettings: params.queueSettings,
    ready: () => ready,
    lease: keepAlive.lease,
    leaseTtlMs: leaseTtlMs(params.ackWaitMs),
    mostInLine: () => mostInLine(pace, shape.concurrency),
    stopped: stopped.signal,
    onRoom: () => fetch.fill(),
  });
  const logOf = (held: Held) => jobLog(log, held);
  const lingering = createLingering({ forMs: times.lingerMs, log, onStuck: params.onStuck });
  const progress = createProgressTeller({ events, worker: id, now });
  const run = createRun({
    worker: id,
    held: jobs,
    slots,
    pace,
    events,
    settle,
    measures,
    lingering,
    now,
    runId: createRunIds(),
    logOf,
    giveBack,
    apart: createApart({ runs: params.runs, sources: params.sources }),
    settings: params.settings,
    keys: createUniqueClaims({ ...shared, turnBack }),
    enqueueOf,
    progress,
    trace: traces && createAttemptTraces(traces),
    onBegin: limits.begins,
    onLateEnd: limits.release,
    onSlot: (held) => {
      limits.ended(held);
      ready.next();
    },
  });
  const ready = createReady({
    free: () => shape.concurrency - jobs.running,
    now,
    refuse: letGo.refuse,
    run: (held, task) => {
      stall.count();
      // After a stall it is being asked about: it may run elsewhere.
      if (held.phase !== 'waiting' || queueGate.stops(held)) return;
      // Used now, its start would come too close to the next ones.
      if (limits.isLate(held)) return intake.again(held);
      void letGo.after(held, run(held, task));
    },
  });
  const queueGate = createQueueGate({
    queues: params.queueSettings,
    serves: (queue) => shape.serves(queue),
    jobs,
    ready: () => ready,
    letGo,
    settle,
    onOpen: () => fetch.fill(),
  });
  const stall = watchStall({
    now,
    flush: () => untilDone({ act: () => bus.flush(), signal: stopped.signal, onRetry: () => {} }),
    onStall() {
      own.distrust();
      for (const held of jobs.all()) {
        if (held.phase !== 'waiting') continue;
        ready.drop(held);
        intake.doubt(held);
      }
    },
  });
  const intake = createIntake({
    worker: id,
    tasks,
    recent,
    own,
    cancelled,
    doubts,
    settle,
    park,
    limits,
    track: letGo.track,
    refuse: letGo.refuse,
    stops: queueGate.stops,
    ackWaitMs: params.ackWaitMs,
    held: jobs,
    restartedFor: marks.restartedFor,
    settledUpTo: (queue) => (stall.recent ? Number.POSITIVE_INFINITY : marks.upTo(queue)),
    stalls: stall.count,
    onMalformed: (delivery, error) => {
      measures.malformed += 1;
      buryMalformed({ bus, delivery, error, signal: stopped.signal, log, onRetry }).catch(() => undefined);
    },
    onReady: (held, task) => {
      if (!queueGate.stops(held)) ready.add(held, task);
    },
    onPark(held) {
      jobs.park(held);
      fetch.fill();
    },
    onDone: letGo.finish,
  });

  const admit = createAdmit({
    jobs,
    keepAlive,
    take: intake.take,
    onAdmitted() {
      ready.next();
      fetch.fill();
    },
  });
  const take = (queue: string, deliveries: Delivery[]) => {
    stall.count();
    measures.took(queue, deliveries);
    for (const delivery of deliveries) recheck.see(delivery);
    admit(deliveries);
  };

  const pulling = createPulling({
    bus,
    onDelivery: take,
    onRefused: recheck.again,
    ...createRoom({ jobs, events, ready, pace, shape, inLine: () => limits.inLine }),
    roomOf: (queue) => Math.min(queueGate.roomOf(queue), limits.roomOf(queue), childless.roomOf(queue)),
    now,
    log,
  });
  const { fetch, sources } = pulling;
  const pullsOn = async (queue: string, priority: Priority) =>
    (await consumerState(bus, queue, priority)).pulls;
  const childless = createChildless({
    jobs,
    runs: params.runs,
    sources,
    pullsOn,
    onOpen: () => fetch.fill(),
    now: () => performance.now(),
    log,
  });
  const duties = startDuties({
    worker: id,
    bus,
    events,
    jobs,
    ready,
    letGo,
    pace,
    sources,
    pullsOn,
    settle,
    now,
    log,
    cancelled,
  });
  const steering = serveSteering({
    bus,
    worker: id,
    shape,
    pulling,
    jobs,
    ready,
    limits,
    measures,
    keepAlive,
    log,
    gate: queueGate,
    prepare: async (more) => {
      await params.topology(more);
      await marks.load(more);
    },
    onStop: params.onStop,
  });
  const offSpace = events.onSpace(() => fetch.fill());
  const offReconnect = bus.onReconnect(({ serverChanged }) => {
    own.forget();
    if (serverChanged) recheck.again();
  });

  return {
    begin() {
      // The server was killed while this worker started.
      if (marks.distrusting) recheck.again();
      void pulling.pull(shape.queues);
      fetch.fill();
    },
    checks: () => readiness({ bus, events, jobs, fetch, measures, lingering, runs: childless, shape, now }),
    readings: () =>
      measures.readings({ jobs, concurrency: shape.concurrency, events, runs: params.runs, sources }),
    async stop() {
      offReconnect();
      offSpace();
      queueGate.close();
      childless.stop();
      // A pull that is still out would bring back to this worker what it gives back.
      const pulled = pulling.close();
      ready.close();
      limits.close();
      lingering.stop();
      await pulled;
      const { commands } = params;
      await drain({ jobs, drainMs: times.drainMs, commands, giveBack, letGo: letGo.drop, log });
      // From here on only those wait who can do without.
      void bus.leave();
      await limits.stop();
      stopped.abort();
      doubts.stop();
      progress.stop();
      stall.stop();
      await Promise.all([duties.stop(), steering.stop()]);
    },
  };
}
