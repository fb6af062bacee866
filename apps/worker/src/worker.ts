import { type Delivery, type JobSource, openJobSource, type PullEnd, serveHeld } from '@jetbeat/jetstream';
import type { Check, Readings } from '@jetbeat/runtime';
import type { Task } from '@jetbeat/task';
import { createAttemptTraces } from './attempt-trace.ts';
import { buryMalformed } from './bury.ts';
import { enqueueFor } from './children.ts';
import { createDoubts } from './doubts.ts';
import { drain } from './drain.ts';
import { createFetch } from './fetch.ts';
import { createGiveBack } from './give-back.ts';
import { answerHeld, type Held, HeldJobs } from './held.ts';
import { createIntake } from './intake.ts';
import { keep } from './keep.ts';
import { createTurns } from './lanes.ts';
import { jobLog, logOutcome } from './log-outcome.ts';
import { Measures } from './measures.ts';
import { createOwnRetries, instant } from './own-retries.ts';
import { createPace } from './pace.ts';
import { createPark } from './park.ts';
import { readiness } from './readiness.ts';
import { createReady } from './ready.ts';
import { createRecent } from './recent.ts';
import { createRecheck } from './recheck.ts';
import { createRun } from './run.ts';
import { createRunIds } from './run-ids.ts';
import { createSettle } from './settle.ts';
import { watchStall } from './stall.ts';
import { createStartTeller } from './start-teller.ts';
import { untilDone } from './until-done.ts';
import type { WorkerParams } from './worker-params.ts';

/** The most jobs that are held where the concurrency asks for no more, those included whose outcome is on its way: a quarter of what a consumer hands out. */
const MAX_HELD = 5_000;

/** Composes the worker's parts: fetch -> intake -> ready -> run -> settle. */
export function createWorker(params: WorkerParams): {
  begin(): void;
  stop(): Promise<void>;
  checks(): Check[];
  /** What `/metrics` says of it. */
  readings(): Readings;
} {
  const { id, bus, events, cancelled, marks, slots, keepAlive } = params;
  const { tasks, times, log, queues, concurrency, traces } = params;
  const now = () => Date.now();
  const stopped = new AbortController();
  const maxHeld = Math.max(MAX_HELD, 2 * concurrency);
  const jobs = new HeldJobs();
  const recent = createRecent({ keepMs: 2 * params.ackWaitMs, now });
  const own = createOwnRetries({ aloneMs: params.ackWaitMs / 2 });
  const pace = createPace(concurrency);
  const measures = new Measures(queues);
  const onRetry = (error: unknown, what: string) =>
    log.warn({ err: error }, `could not ${what}; trying again`);
  const shared = { bus, events, now, stopped: stopped.signal, onRetry };
  const settle = createSettle({
    ...shared,
    worker: id,
    own,
    random: Math.random,
    onSettled: (held, execution, next) => {
      measures.settled(held, execution.outcome);
      if (next.state !== 'succeeded' || log.isLevelEnabled('debug'))
        logOutcome(logOf(held), held, execution, next);
    },
  });
  const park = measures.countedPark(createPark(shared));
  const doubts = measures.counted(
    createDoubts({
      bus,
      timeoutMs: times.doubtMs,
      onError: (error) => log.warn({ err: error }, 'no answer to a doubt; the jobs are parked'),
    }),
  );
  const recheck = createRecheck({
    marks,
    topology: params.topology,
    onForgotten: own.forget,
    signal: stopped.signal,
    onRetry: (error) => onRetry(error, 'check the streams'),
  });

  const letGo = (held: Held) => {
    jobs.remove(held);
    for (const key of held.kept.splice(0)) keepAlive.release(key);
    held.releaseNext()?.nak();
  };
  const finished = (held: Held, settled: boolean) => {
    if (settled) for (const { seq } of held.deliveries) recent.add(seq, held.job.id);
    const next = held.releaseNext();
    letGo(held);
    if (next) admit([next]);
    else fetch.fill();
  };
  const lose = (held: Held, error: unknown) => {
    if (!stopped.signal.aborted) logOf(held).error({ err: error }, 'not settled; it will be delivered again');
    letGo(held);
    ready.next();
    fetch.fill();
  };
  const track = (held: Held, work: Promise<void>) => {
    work.catch((error: unknown) => lose(held, error));
  };
  const logOf = (held: Held) => jobLog(log, held);
  const giveBack = measures.countedGiveBack(createGiveBack({ worker: id, bus, events, now }));
  const run = createRun({
    worker: id,
    held: jobs,
    slots,
    pace,
    events,
    settle,
    measures,
    now,
    runId: createRunIds(),
    logOf,
    giveBack,
    enqueueOf: (held) => enqueueFor({ bus, events, held, tracing: traces?.tracing }),
    trace: traces && createAttemptTraces(traces),
    onSlot: () => ready.next(),
  });
  const attempt = async (held: Held, task: Task) => {
    try {
      finished(held, await run(held, task));
    } catch (error) {
      lose(held, error);
    }
  };
  const ready = createReady({
    free: () => concurrency - jobs.running,
    now,
    refuse: (held) => {
      for (const delivery of held.deliveries) delivery.nak();
      letGo(held);
    },
    run: (held, task) => {
      stall.count();
      // After a stall it is being asked about: it may run elsewhere.
      if (held.phase !== 'waiting') return;
      void attempt(held, task);
    },
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
    bus,
    tasks,
    recent,
    own,
    cancelled,
    doubts,
    settle,
    park,
    now,
    track,
    ackWaitMs: params.ackWaitMs,
    held: jobs,
    settledUpTo: (queue) => (stall.recent ? Number.POSITIVE_INFINITY : marks.upTo(queue)),
    stalls: stall.count,
    onMalformed: (delivery, error) => {
      measures.malformed += 1;
      buryMalformed({ bus, delivery, error, signal: stopped.signal, log, onRetry }).catch(() => undefined);
    },
    onReady: ready.add,
    onDone: finished,
  });

  const isHeld = (held: Held) => jobs.get(held.job.id) === held;
  const admit = (deliveries: readonly Delivery[]) => {
    const at = instant();
    // Before any handler begins: a handler may block the event loop from its first line on.
    keep(keepAlive, isHeld, deliveries, (delivery) => intake.take(delivery, at));
    ready.next();
    fetch.fill();
  };
  const take = (queue: string, deliveries: Delivery[]) => {
    stall.count();
    measures.took(queue, deliveries);
    for (const delivery of deliveries) recheck.see(delivery);
    admit(deliveries);
  };

  const open = (queue: string): JobSource => {
    const onPullEnd = (end: PullEnd) => {
      if (end.status === 'refused') recheck.again();
      fetch.ended(queue, end);
    };
    const onDelivery = (deliveries: Delivery[]) => take(queue, deliveries);
    return openJobSource(bus, { queue, onDelivery, onPullEnd, log });
  };
  const sources = new Map(queues.map((queue) => [queue, open(queue)]));
  const fetch = createFetch({
    sources,
    turns: createTurns(queues),
    now,
    room: () => (events.full ? 0 : Math.min(pace.limit() - (jobs.size - jobs.settling), maxHeld - jobs.size)),
    isWorth: (room) => room > 0 && (ready.size === 0 || room >= pace.limit() / 4),
  });
  const teller = createStartTeller({ held: jobs, events, worker: id, now });
  const answer = answerHeld({
    jobs,
    drop(held) {
      if (!ready.drop(held)) return false;
      for (const delivery of held.deliveries) delivery.ack();
      finished(held, true);
      return true;
    },
  });
  const serving = serveHeld(bus, id, answer, { log });
  const offSpace = events.onSpace(() => fetch.fill());
  const offReconnect = bus.onReconnect(({ serverChanged }) => {
    own.forget();
    if (serverChanged) recheck.again();
  });

  return {
    begin() {
      // The server was killed while this worker started.
      if (marks.distrusting) recheck.again();
      fetch.fill();
    },
    checks: () => readiness({ bus, events, jobs, fetch, now }),
    readings: () => measures.readings({ jobs, concurrency, events, sources }),
    async stop() {
      fetch.stop();
      offReconnect();
      offSpace();
      // A pull that is still out would bring back to this worker what it gives back.
      ready.close();
      await Promise.all([...sources.values()].map((source) => source.close()));
      await drain({ jobs, drainMs: times.drainMs, giveBack, letGo, log });
      stopped.abort();
      doubts.stop();
      teller.stop();
      stall.stop();
      await serving.close();
    },
  };
}
