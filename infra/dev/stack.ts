import { join } from 'node:path';
import type { AppSpec, ServerUrls } from './apps.ts';
import { type Kept, keepRunning } from './keep-running.ts';
import type { LogFiles } from './log-files.ts';
import { type NatsServer, startNats } from './nats-server.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import type { ProcessesFile } from './processes-file.ts';
import { readableTail } from './readable-tail.ts';
import type { Log } from './run.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

/** Everything that runs; apps are stopped first, then NATS, then PostgreSQL. */
export interface Stack {
  readonly urls: ServerUrls;
  /** Ends everything in order; returns when nothing is left, 10 s later or when the slowest app had its time. Safe to call twice. */
  stop(): Promise<void>;
  /** Ends everything at once, the hard way; `stop` then returns soon. */
  kill(): void;
}

/** What to start. The apps are a parameter, so that the stack is tested with small ones. */
export interface StartStackParams {
  dataDir: string;
  root: string;
  natsBin: string;
  natsPort: number;
  monitorPort: number;
  postgresPort: number;
  cacheDir: string;
  postgresBinDir?: string;
  apps: (urls: ServerUrls) => readonly AppSpec[];
  processes: ProcessesFile;
  logs: LogFiles;
  log: Log;
  signal: AbortSignal;
  /** Whether everything keeps running when this process is killed. */
  outlive: boolean;
  /** Told when an app cannot use its configuration at its first start, with its words; it is not started again then. */
  onRefused?: (app: string, words: string) => void;
}

/** How an app ends that cannot use its configuration or environment. */
const configurationExit = 2;
const appStopMs = 6500;

/**
 * Starts NATS and PostgreSQL side by side, then every app, and keeps all of them running.
 * Throws when a server does not start the first time; nothing is left running then.
 */
export async function startStack(params: StartStackParams): Promise<Stack> {
  const { processes, log } = params;
  const beginNats = (signal: AbortSignal, quiet: Log) =>
    startNats({
      bin: params.natsBin,
      dir: join(params.dataDir, 'nats'),
      port: params.natsPort,
      monitorPort: params.monitorPort,
      log: quiet,
      outlive: params.outlive,
      onSpawn: (pid) => void processes.set('nats', { pid, ports: [params.natsPort, params.monitorPort] }),
      signal,
    });
  const beginPostgres = (signal: AbortSignal, quiet: Log) =>
    startPostgres({
      dir: join(params.dataDir, 'postgres'),
      port: params.postgresPort,
      cacheDir: params.cacheDir,
      ...(params.postgresBinDir === undefined ? {} : { binDir: params.postgresBinDir }),
      log: quiet,
      outlive: params.outlive,
      onSpawn: (pid) => void processes.set('postgres', { pid, ports: [params.postgresPort] }),
      signal,
    });
  const [nats, postgres] = await bothOrNone(
    beginNats(params.signal, () => {}),
    beginPostgres(params.signal, () => {}),
  );
  const urls: ServerUrls = { nats: nats.url, database: postgres.url };
  const onEnd = (name: string) => () => processes.remove(name);
  const keptNats = keepRunning({
    name: 'nats',
    begin: (signal) => beginNats(signal, log),
    running: nats,
    onEnd: onEnd('nats'),
    log,
  });
  const keptPostgres = keepRunning({
    name: 'postgres',
    begin: (signal) => beginPostgres(signal, log),
    running: postgres,
    onEnd: onEnd('postgres'),
    log,
  });
  const apps = params.apps(urls).map((spec) => keepApp({ spec, ...params }));
  const all: Kept[] = [...apps, keptNats, keptPostgres];
  const stop = async () => {
    await Promise.all(apps.map((app) => app.stop()));
    await keptNats.stop();
    await keptPostgres.stop();
  };
  let stopping: Promise<void> | undefined;
  return {
    urls,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
    kill: () => {
      for (const kept of all) kept.kill();
    },
  };
}

async function bothOrNone(
  nats: Promise<NatsServer>,
  postgres: Promise<PostgresServer>,
): Promise<[NatsServer, PostgresServer]> {
  const [first, second] = await Promise.allSettled([nats, postgres]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value];
  if (first.status === 'fulfilled') await first.value.stop();
  if (second.status === 'fulfilled') await second.value.stop();
  throw first.status === 'rejected' ? first.reason : second.status === 'rejected' ? second.reason : undefined;
}

function keepApp(params: {
  spec: AppSpec;
  root: string;
  processes: ProcessesFile;
  logs: LogFiles;
  log: Log;
  outlive: boolean;
  onRefused?: (app: string, words: string) => void;
}): Kept {
  const { spec, root, processes, logs, log, onRefused } = params;
  const file = logs.path(spec.name);
  let from = 0;
  const begin = async (): Promise<ServerProcess> => {
    from = await logs.size(spec.name);
    return startServerProcess({
      command: spec.command,
      args: spec.args,
      cwd: root,
      env: spec.env,
      outputFile: file,
      stopSignals: [{ signal: 'SIGTERM', waitMs: spec.stopMs ?? appStopMs }],
      outlive: params.outlive,
      onSpawn: (pid) => void processes.set(spec.name, { pid, ports: spec.ports }),
    });
  };
  return keepRunning({
    name: spec.name,
    begin,
    refuses: async (exit) => {
      if (!onRefused || exit instanceof Error || exit.code !== configurationExit) return false;
      await processes.remove(spec.name);
      onRefused(spec.name, await readableTail({ file, from }));
      return true;
    },
    onEnd: async () => {
      await processes.remove(spec.name);
      const words = await readableTail({ file, from });
      if (words !== '') log(words);
      log(`  the whole log: ${file}`);
    },
    log,
  });
}
