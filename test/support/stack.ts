import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsServer, type PostgresServer, startNats, startPostgres } from '@jetbeat/infra/dev';
import { type AppName, type AppProcess, startApp, startOnFreePort } from './app-process.ts';
import { createHttp, type Http } from './http.ts';
import { ownPort } from './ports.ts';

/** Servers and apps of one test's own, so that it may kill each of them. */
export interface Stack {
  readonly nats: NatsServer;
  readonly postgres: PostgresServer;
  readonly env: Readonly<Record<string, string>>;
  readonly http: Http;
  /** All apps that run now. */
  readonly apps: ReadonlySet<AppProcess>;
  /** Starts one more app and waits until it is ready. */
  start(name: AppName, options?: StartOptions): Promise<AppProcess>;
  /** kill -9, then a new one of the same kind. */
  restart(app: AppProcess, options?: StartOptions): Promise<AppProcess>;
  /** Where nats-server keeps its streams, for a test that harms them while it is stopped. */
  readonly natsStore: string;
  killNats(): Promise<void>;
  killPostgres(): Promise<void>;
  stop(): Promise<void>;
}

/** How an app differs from the others of its kind. */
interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A program with the same app and a fail point. */
  readonly main?: string;
  /** Do not wait until it is ready. */
  readonly eager?: boolean;
}

/** How one test's stack differs from the others'. */
export interface StackParams {
  readonly ackWait?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Bound of JetStream's files, in MiB; the apps are told it too. */
  readonly maxFileMiB?: number;
}

/** Starts the servers; the apps come by `start`. The API listens on one port for the whole test. */
export async function startStack(params: StackParams = {}): Promise<Stack> {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-stack-'));
  const log = () => {};
  const bin = process.env['JETBEAT_TEST_NATS_BIN'] ?? '';
  const { maxFileMiB } = params;
  const limits = maxFileMiB === undefined ? {} : { maxFile: maxFileMiB * 1024 ** 2 };
  const natsDir = join(dir, 'nats');
  const copied = cp(process.env['JETBEAT_TEST_CLUSTER'] ?? '', join(dir, 'postgres'), { recursive: true });
  let [nats, postgres] = await Promise.all([
    startNats({ bin, dir: natsDir, port: await ownPort(), log, ...limits }),
    copied.then(async () => startPostgres({ dir: join(dir, 'postgres'), port: await ownPort(), log })),
  ]);
  const apiPort = await ownPort();
  const apiKey = `jb_${randomBytes(6).toString('hex')}_${randomBytes(32).toString('base64url')}`;
  const env: Record<string, string> = {
    JETBEAT_NATS_URL: nats.url,
    JETBEAT_DATABASE_URL: postgres.url,
    JETBEAT_HOST: '127.0.0.1',
    JETBEAT_API_KEY: apiKey,
    JETBEAT_ACK_WAIT: params.ackWait ?? '2s',
    JETBEAT_HTTP_ALLOW_LOOPBACK: 'true',
    ...(maxFileMiB === undefined ? {} : { JETBEAT_STORAGE_LIMIT: `${maxFileMiB}MiB` }),
    ...params.env,
  };
  const apps = new Set<AppProcess>();
  const start = async (name: AppName, options: StartOptions = {}): Promise<AppProcess> => {
    const { main, env: own, eager } = options;
    const begin = (healthPort: number) => {
      const app = startApp({
        name,
        healthPort,
        env: { ...env, ...own },
        ...(main === undefined ? {} : { main }),
      });
      apps.add(app);
      void app.exited.then(() => apps.delete(app));
      return app;
    };
    if (name !== 'api' && !eager) return startOnFreePort(begin);
    const app = begin(name === 'api' ? apiPort : await ownPort());
    if (!eager) await app.ready();
    return app;
  };
  return {
    get nats() {
      return nats;
    },
    get postgres() {
      return postgres;
    },
    env,
    apps,
    natsStore: join(natsDir, 'store'),
    http: createHttp({ url: `http://127.0.0.1:${apiPort}`, apiKey }),
    start,
    restart: async (app, options) => {
      await app.kill();
      return await start(app.name, options);
    },
    killNats: async () => {
      nats.kill();
      await nats.exited;
      nats = await startNats({ bin, dir: natsDir, port: nats.port, log, ...limits });
    },
    killPostgres: async () => {
      postgres.kill();
      await postgres.exited;
      postgres = await startPostgres({ dir: join(dir, 'postgres'), port: postgres.port, log });
    },
    stop: async () => {
      await Promise.all([...apps].map((app) => app.stop()));
      await Promise.all([nats.stop(), postgres.stop()]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}
