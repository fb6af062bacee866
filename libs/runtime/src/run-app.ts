import { type AppName, type Config, loadConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import type { Pushing } from './metrics/otlp.ts';
import { pushMetrics } from './metrics/push-metrics.ts';
import { openTracing } from './telemetry/open-tracing.ts';
import type { Tracing } from './telemetry/tracing.ts';

/** A started app. `ready` resolves when it does its work, `stop` when it has stopped; both may be called twice. */
export interface Running {
  ready(): Promise<void>;
  stop(): Promise<void>;
  /** Resolves with why, when somebody has told it over the network to end; with an error, when it has to end by itself. */
  readonly stopAsked?: Promise<string | Error>;
}

/** What every app's `start` takes; its ports for tests come beside it. */
export interface StartParams {
  readonly config: Config;
  readonly log: Log;
  /** Present where the environment asks for traces. */
  readonly tracing?: Tracing | undefined;
  /** Takes what the app counts, and is stopped by it; absent: the app makes its own. */
  readonly metrics?: Metrics;
  /** Aborted when the process is told to stop: a start that waits for a server waits no more. */
  readonly stopping?: AbortSignal;
}

/** How long an app may take to stop before the process is ended, in milliseconds; a worker's jobs have their time beside it. */
const STOP_TIMEOUT_MS = 25_000;
/** Codes of what a start finds wrong in what it was told; the next start would find the same. */
const UNUSABLE: ReadonlySet<string> = new Set(['invalid_config', 'invalid_input', 'task_load']);
/** A shell and what it runs through may both hand on one Ctrl-C: that is one wish, not two. Milliseconds. */
const SAME_WISH_MS = 700;

/**
 * The life of an app's process: configuration, log, start, and an orderly stop at SIGTERM or SIGINT; the second of them ends
 * it at once. Exit codes: 0 stopped as asked; 1 failed, did not stop in time, or was told twice; 2 the configuration or the tasks
 * that it names cannot be used, and so could not at the next start.
 */
export async function runApp(params: {
  app: AppName;
  start: (params: StartParams) => Promise<Running>;
  stopTimeoutMs?: number;
}): Promise<void> {
  const { app, start } = params;
  const config = readConfig(app);
  const drainMs = app === 'worker' ? config.worker.drainMs : 0;
  const { stopTimeoutMs = STOP_TIMEOUT_MS + drainMs } = params;
  const log = createLog({ app, level: config.log.level });
  const told = new AbortController();
  let stopping = false;
  let running: Promise<Running> | undefined;
  let tracing: Tracing | undefined;
  let pushing: Pushing | undefined;

  const stop = async (why: string, code: number) => {
    if (stopping) return;
    stopping = true;
    told.abort();
    log.info({ why }, 'stopping');
    const timer = setTimeout(() => {
      log.fatal({ stopTimeoutMs }, 'did not stop in time: ending the process');
      process.exit(1);
    }, stopTimeoutMs);
    try {
      // A start that the stop has ended runs nothing.
      await (await running?.catch(() => undefined))?.stop();
      await Promise.all([tracing?.stop(), pushing?.stop()]);
      log.info({ why }, 'stopped');
    } catch (error) {
      log.error({ err: error }, 'stopping failed');
      process.exitCode = 1;
    }
    clearTimeout(timer);
    process.exit(process.exitCode ?? code);
  };
  const fail = (what: string) => (error: unknown) => {
    log.fatal({ err: error }, what);
    // What is in memory can no longer be trusted; everything unfinished is repeated by design.
    process.exit(1);
  };
  let asked: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    const now = performance.now();
    if (asked === undefined) {
      asked = now;
      void stop(signal, 0);
    } else if (now - asked > SAME_WISH_MS) {
      log.warn({ why: signal }, 'told to stop once more: ending at once');
      process.exit(1);
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, onSignal);
  process.on('unhandledRejection', fail('unhandled rejection: ending the process'));
  process.on('uncaughtException', fail('uncaught exception: ending the process'));

  try {
    tracing = await openTracing({ app, env: process.env, log });
    const metrics = createMetrics({ app });
    pushing = await pushMetrics({ app, metrics, env: process.env, log });
    running = start({ config, log, tracing, metrics, stopping: told.signal });
    const started = await running;
    await started.ready();
    void started.stopAsked?.then((why) => (why instanceof Error ? stop(why.message, 1) : stop(why, 0)));
    if (!stopping) log.info({}, 'ready');
  } catch (error) {
    // A stop that was asked for during the start may well make the start fail.
    if (stopping) return;
    if (!isOfOurs(error)) return fail('cannot start')(error);
    const { code, message, cause } = error;
    const from = cause instanceof Error ? { cause: cause.stack } : {};
    log.fatal({ code, ...from }, `cannot start: ${message}`);
    process.exit(UNUSABLE.has(code) ? 2 : 1);
  }
}

/** An error that says what to do, so that its own stack would only hide it: their codes are of small letters, Node's are not. */
function isOfOurs(error: unknown): error is Error & { code: string } {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && /^[a-z_]+$/.test(code);
}

function readConfig(app: AppName): Config {
  try {
    return loadConfig({ env: process.env, app });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(error.problems.map((problem) => `jetbeat ${app}: ${problem}\n`).join(''));
    process.exit(2);
  }
}
