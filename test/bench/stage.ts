import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startNats, startPostgres } from '@jetbeat/infra/dev';
import type { AppName } from '../support/app-process.ts';
import { type App, lastWords, startApp } from './app.ts';
import { type History, openHistory } from './history.ts';
import { type Load, startLoad } from './load.ts';
import { startCluster } from './nats-cluster.ts';
import { type StreamWatch, watchStreams } from './stream-watch.ts';
import { type ProcessWatch, watchProcesses } from './watch-processes.ts';

/** Fresh servers and what runs on them, for one run of a row. */
export interface Stage {
  /** Small counts: it only has to work. */
  readonly quick: boolean;
  /** How long a row that goes by the clock is to go on; else as it says. */
  readonly seconds?: number;
  readonly streams: StreamWatch;
  readonly history: History;
  readonly processes: ProcessWatch;
  readonly apiKey: string;
  /** PostgreSQL's address. */
  readonly databaseUrl: string;
  /** Starts an app through its `main.ts`, as users do, and waits until it is ready. An unwatched one is no part of the figures. */
  start(name: AppName, options?: StartOptions): Promise<App>;
  /** The API's address, once it runs. */
  readonly apiUrl: string;
  /** Starts a process that makes load. */
  load(): Promise<Load>;
  /** Says a line to whoever watches. */
  say(line: string): void;
}

/** How an app is started. */
interface StartOptions {
  readonly unwatched?: boolean;
  /** Beside what every app is told. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Opens a stage for as long as `act` takes. */
export type OpenStage = <T>(
  act: (stage: Stage) => Promise<T>,
  options?: { readonly nodes?: 1 | 3 },
) => Promise<T>;

/** What a stage is made of. */
export interface StageParams {
  readonly natsBin: string;
  /** How many nats-servers. */
  readonly nodes: 1 | 3;
  readonly quick: boolean;
  readonly seconds?: number;
  /** For every process under measure, e.g. `NODE_OPTIONS`. */
  readonly env: Readonly<Record<string, string>>;
  readonly concurrency: number;
  readonly say: (line: string) => void;
}

/** Sets up a stage, hands it to `act`, and clears everything away afterwards, whatever happens. */
export async function onStage<T>(params: StageParams, act: (stage: Stage) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-bench-'));
  const endings: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  try {
    const stage = await build({
      ...params,
      dir,
      atEnd: (ending) => endings.push(ending),
      onBroken: broken.reject,
    });
    return await Promise.race([act(stage), broken.promise]);
  } finally {
    // The last that was begun is the first to end.
    for (const ending of endings.reverse()) await ending().catch((error) => params.say(String(error)));
  }
}

async function build(
  params: StageParams & {
    dir: string;
    atEnd: (ending: () => Promise<unknown>) => void;
    /** An app has ended that nobody has told to. */
    onBroken: (error: Error) => void;
  },
): Promise<Stage> {
  const { natsBin, quick, say, dir, atEnd, onBroken } = params;
  const processes = watchProcesses();
  atEnd(async () => processes.stop());
  const log = () => {};
  const nodes =
    params.nodes === 3
      ? await startCluster({ bin: natsBin, dir: join(dir, 'nats') })
      : [await startNats({ bin: natsBin, dir: join(dir, 'nats'), log })];
  atEnd(() => Promise.all(nodes.map((node) => node.stop())));
  for (const node of nodes) processes.add('nats-server', node.pid);
  const postgres = await startPostgres({ dir: join(dir, 'postgres'), log });
  atEnd(() => postgres.stop());
  processes.add('postgres', postgres.pid);
  const servers = nodes.map((node) => node.url).join(',');
  const streams = await watchStreams(servers);
  atEnd(() => streams.close());
  const history = openHistory(postgres.url);
  atEnd(() => history.close());
  const apiPort = await freePort();
  const apiKey = `jb_bench_${randomBytes(32).toString('base64url')}`;
  const env: Record<string, string> = {
    ...params.env,
    JETBEAT_NATS_URL: servers,
    JETBEAT_DATABASE_URL: postgres.url,
    JETBEAT_API_KEY: apiKey,
    JETBEAT_STORAGE_LIMIT: '8GiB',
    JETBEAT_CONCURRENCY: String(params.concurrency),
    JETBEAT_TASKS: join(import.meta.dirname, 'tasks.ts'),
  };
  return {
    quick,
    streams,
    history,
    processes,
    apiKey,
    say,
    databaseUrl: postgres.url,
    ...(params.seconds === undefined ? {} : { seconds: params.seconds }),
    apiUrl: `http://127.0.0.1:${apiPort}`,
    async start(name, { unwatched = false, env: own = {} } = {}) {
      const port = name === 'api' ? apiPort : await freePort();
      const logFile = join(dir, `${name}.log`);
      const app = await startApp({ name, env: { ...env, ...own }, port, logFile });
      let stopping = false;
      const stop = () => {
        stopping = true;
        return app.stop();
      };
      atEnd(stop);
      void app.exited.then(async () => {
        if (!stopping) onBroken(new Error(`the ${name} has ended; it said:\n${await lastWords(logFile)}`));
      });
      if (!unwatched) processes.add(name, app.pid);
      await app.ready();
      return { ...app, stop };
    },
    async load() {
      const load = await startLoad({ servers, env: { ...process.env, ...params.env } });
      atEnd(() => load.close());
      processes.add('load', load.pid);
      return load;
    },
  };
}
