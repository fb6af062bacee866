import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { MAX_CONCURRENCY, readSettings } from '@jetbeat/core';
import {
  type Bus,
  type BusOptions,
  connectBus,
  createEventPublisher,
  ensureTopology,
  leaseTtlMs,
  openCancelled,
  watchQueueSettings,
  watchTaskSettings,
} from '@jetbeat/jetstream';
import {
  CONNECT_MS,
  createMetrics,
  measureNats,
  natsOptions,
  type Running,
  type StartParams,
  startHealthServer,
  untilThere,
} from '@jetbeat/runtime';
import { createIsolatedRuns, type Task, taskInfo } from '@jetbeat/task';
import { builtInTasks } from '@jetbeat/tasks';
import packageJson from '../package.json' with { type: 'json' };
import { loadMarks } from './doubts/settled-marks.ts';
import { type KeepAlive, startKeepAlive } from './keep-alive/keep-alive.ts';
import { Slots } from './keep-alive/slots.ts';
import { createRunsTracing } from './running/runs-tracing.ts';
import { Shape } from './shape.ts';
import { loadTaskSet } from './task-set.ts';
import { DEFAULT_TIMES, type WorkerTimes } from './times.ts';
import { createWorker } from './worker.ts';
import type { WorkerPorts } from './worker-params.ts';

export type { WorkerTimes } from './times.ts';

/** What a worker process is made of. */
export interface StartWorkerParams extends StartParams {
  readonly times?: Partial<WorkerTimes>;
  readonly ports?: WorkerPorts;
  /** Tasks beside those that the configuration names; for programs that hold a worker themselves. */
  readonly tasks?: readonly Task[];
  /** Ends the process when the keep-alive thread has died. */
  readonly onFatal?: (error: Error) => void;
}

/**
 * Starts a worker: connect, load tasks, keep-alive, then pull.
 * @throws TaskLoadError, BusUnreachableError, ServerUnfitError when it cannot start
 */
export async function start(
  params: StartWorkerParams,
): Promise<Running & { readonly id: string; readonly healthUrl: string }> {
  const { config, log, tracing, metrics = createMetrics({ app: 'worker' }) } = params;
  const times = { ...DEFAULT_TIMES, drainMs: config.worker.drainMs, ...params.times };
  const id = `${hostname().replace(/[^A-Za-z0-9_-]/g, '-')}-${process.pid}-${randomBytes(4).toString('hex')}`;
  const shape = new Shape(config.worker);
  const { queues, concurrency } = config.worker;
  const { promise: stopAsked, resolve: askStop } = Promise.withResolvers<string | Error>();
  const settings = readSettings(config.settings, config.file);

  const { http, webhooks, smtp, files, postgres, commands, commandEnvironment } = config;
  const { file } = config;
  const builtInParams = {
    http: { ...http, file },
    webhooks,
    smtp,
    files,
    postgres,
    commands,
    commandEnvironment,
  };
  const runsTracing = tracing && createRunsTracing(tracing);
  const builtIn = builtInTasks(builtInParams, { traceparent: () => runsTracing?.traceparent() });
  const { tasks, sources } = await loadTaskSet({
    paths: config.worker.tasks,
    base: process.cwd(),
    builtIn,
    builtInParams,
    given: params.tasks ?? [],
    settings,
  });
  const runs = createIsolatedRuns({
    max: () => shape.concurrency,
    settings: { settings: config.settings, file: config.file },
    tracing: runsTracing,
  });

  const busOptions: Omit<BusOptions, 'log'> = {
    ...natsOptions(config),
    name: `jetbeat worker ${id}`,
  };
  const ensure = (of: Bus, more: readonly string[] = []) =>
    ensureTopology(of, {
      queues: [...shape.queues, ...more],
      ackWaitMs: config.ackWaitMs,
      eventsMaxBytes: config.storage.events,
    });
  const connectOnce = async () => {
    const made = await connectBus({ ...busOptions, log, connectTimeoutMs: CONNECT_MS });
    try {
      await ensure(made);
      return made;
    } catch (error) {
      await made.close();
      throw error;
    }
  };
  const bus = await untilThere({ connect: connectOnce, log, stopping: params.stopping }).catch(
    async (error: unknown) => {
      metrics.stop();
      await builtIn.close();
      throw error;
    },
  );
  const slots = new Slots({ concurrency: MAX_CONCURRENCY });
  let keepAlive: KeepAlive | undefined;
  try {
    const cancelled = openCancelled(bus, { log });
    await cancelled.load();
    const queueSettings = watchQueueSettings(bus, { log });
    await queueSettings.load();
    const taskSettings = watchTaskSettings(bus, { log });
    await taskSettings.load();
    const marks = await loadMarks(bus, queues);
    keepAlive = await startKeepAlive({
      slots,
      data: {
        bus: busOptions,
        ackWaitMs: config.ackWaitMs,
        graceMs: times.graceMs,
        leaseTtlMs: leaseTtlMs(config.ackWaitMs),
        worker: {
          worker: id,
          host: hostname(),
          pid: process.pid,
          version: packageJson.version,
          queues,
          concurrency,
          startedAt: Date.now(),
          tasks: [...tasks.values()].map(taskInfo),
        },
      },
      onDeath: (error) => {
        log.fatal({ err: error }, 'the keep-alive thread has died: the worker ends, its jobs run elsewhere');
        (params.onFatal ?? (() => process.exit(1)))(error);
      },
      onLate: (err) => log.warn({ err }, err.message),
    });
    const events = createEventPublisher(bus, { log });
    const worker = createWorker({
      id,
      bus,
      events,
      cancelled,
      queueSettings,
      taskSettings,
      marks,
      slots,
      keepAlive,
      tasks,
      sources,
      runs,
      commands: builtIn,
      settings,
      times,
      ports: params.ports,
      log,
      shape,
      ackWaitMs: config.ackWaitMs,
      traces: tracing && { tracing, worker: id, slowMs: config.traceSlowMs },
      topology: (more) => ensure(bus, more),
      onStop: () => askStop('it was told to stop'),
      onStuck: askStop,
    });
    metrics.observe(measureNats(bus));
    metrics.observe(() => worker.readings());
    const health = await startHealthServer({
      host: config.host,
      port: config.healthPort,
      live: () => [{ name: 'event loop', ok: true }],
      ready: () => worker.checks(),
      metrics,
    });
    worker.begin();
    log.info({ worker: id, queues, concurrency, tasks: [...tasks.keys()] }, 'worker runs');
    let stopped: Promise<void> | undefined;
    const stop = async () => {
      await worker.stop();
      await runs.stop();
      await keepAlive?.stop();
      await events.close();
      await bus.flush().catch(() => undefined);
      await cancelled.close();
      queueSettings.close();
      taskSettings.close();
      await bus.close();
      await builtIn.close();
      await health.stop();
      metrics.stop();
    };
    return {
      id,
      healthUrl: `http://${config.host}:${health.port}`,
      ready: async () => {},
      stopAsked,
      stop: () => (stopped ??= stop()),
    };
  } catch (error) {
    metrics.stop();
    await keepAlive?.stop();
    await bus.close();
    await builtIn.close();
    throw error;
  }
}
