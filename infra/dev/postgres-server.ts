import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, portIsFree } from './ports.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import { type Cluster, databaseName, openCluster } from './postgres-cluster.ts';
import { giveTo, postgresRunner, type Runner } from './postgres-user.ts';
import { commandOf } from './process-facts.ts';
import type { Log } from './run.ts';
import { becomesReady, type ServerProcess, startServerProcess, tailOf, troubleOf } from './server-process.ts';
import { StartError } from './start-error.ts';

/** A PostgreSQL server that takes connections. */
export interface PostgresServer extends ServerProcess {
  /** `postgres://jetbeat:<password>@127.0.0.1:<port>/jetbeat`; the user is a superuser of this server. */
  readonly url: string;
  readonly port: number;
}

/** What to start. Port: 0 or absent means a free one. */
export interface StartPostgresParams {
  /** Holds the cluster, its password and its log; the same folder again continues with the same data. */
  dir: string;
  log: Log;
  port?: number;
  /** Where library links go when `node_modules` is read-only. Default: `dir`. */
  cacheDir?: string;
  /** A folder with `initdb` and `postgres` of one's own (`JETBEAT_POSTGRES_BIN`). */
  binDir?: string;
  /** How PostgreSQL is kept from running as root; found out when absent. */
  runner?: Runner;
  readyTimeoutMs?: number;
  outlive?: boolean;
  onSpawn?: (pid: number) => void;
  signal?: AbortSignal;
}

// A cluster whose postmaster was killed can be opened as soon as the last of its children has noticed.
const stillInUse = /pre-existing shared memory block|lock file "postmaster.pid" already exists/;

/**
 * Starts PostgreSQL 18 on 127.0.0.1 in a session of its own, with fsync and without a Unix socket, and waits until it
 * takes connections; makes the cluster and the database `jetbeat` when there is none. After `kill()` and `exited` it
 * may be started again with the same `dir` and `port`; recovery is waited for.
 * Throws with the server's own last words when it does not become ready.
 */
export async function startPostgres(params: StartPostgresParams): Promise<PostgresServer> {
  const dir = resolve(params.dir);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);
  const binaries = await postgresBinaries({
    cacheDir: params.cacheDir ?? dir,
    ...(params.binDir === undefined ? {} : { binDir: params.binDir }),
  });
  const runner = params.runner ?? (await postgresRunner({ program: binaries.initdb, dir }));
  await giveTo(runner, dir);
  const cluster = await openCluster({ dir, binaries, runner });
  const chosen = params.port ?? 0;
  const port = chosen === 0 ? await freePort() : chosen;
  if (!(await portIsFree(port)))
    throw new StartError(`PostgreSQL cannot start: port ${port} of 127.0.0.1 is in use`);
  const deadline = performance.now() + (params.readyTimeoutMs ?? 60_000);
  const outputFile = join(dir, 'postgres.log');
  for (;;) {
    await disownStranger(cluster);
    await rm(outputFile, { force: true });
    const server = await launch({ params, dir, cluster, port, runner, binaries, outputFile });
    const state = await becomesReady({
      server,
      ready: () => isReady(cluster, server.pid),
      timeoutMs: deadline - performance.now(),
      signal: params.signal,
    });
    if (state === 'ready') {
      params.log(`PostgreSQL ready on 127.0.0.1:${port} (pid ${server.pid}, ${runner.how})`);
      const url = `postgres://${databaseName}:${cluster.password}@127.0.0.1:${port}/${databaseName}`;
      return { ...server, url, port };
    }
    server.kill();
    await server.exited;
    const words = await tailOf(outputFile);
    if (state === 'stopped' || !stillInUse.test(words) || performance.now() > deadline) {
      throw new StartError(`PostgreSQL ${troubleOf(state)}:\n${words}`);
    }
    await delay(100);
  }
}

function launch(p: {
  params: StartPostgresParams;
  dir: string;
  cluster: Cluster;
  port: number;
  runner: Runner;
  binaries: { postgres: string; env: NodeJS.ProcessEnv };
  outputFile: string;
}): Promise<ServerProcess> {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(p.port),
    unix_socket_directories: '',
    max_connections: '200',
    wal_level: 'minimal',
    max_wal_senders: '0',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_min_messages: 'warning',
    log_checkpoints: 'off',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [command = p.binaries.postgres, ...args] = [
    ...p.runner.prefix,
    ...[p.binaries.postgres, '-D', p.cluster.data, ...flags],
  ];
  return startServerProcess({
    command,
    args,
    cwd: p.dir,
    env: { ...process.env, ...p.binaries.env, LC_ALL: 'C', TZ: 'UTC' },
    outputFile: p.outputFile,
    ...(p.runner.uid === undefined ? {} : { uid: p.runner.uid }),
    ...(p.runner.gid === undefined ? {} : { gid: p.runner.gid }),
    // SIGINT ends its sessions at once, SIGQUIT its processes: the next start then recovers from the log.
    stopSignals: [
      { signal: 'SIGINT', waitMs: 1800 },
      { signal: 'SIGQUIT', waitMs: 500 },
    ],
    ...(p.params.outlive === undefined ? {} : { outlive: p.params.outlive }),
    ...(p.params.onSpawn === undefined ? {} : { onSpawn: p.params.onSpawn }),
  });
}

function pidFileOf(cluster: Cluster): string {
  return join(cluster.data, 'postmaster.pid');
}

/** The first line of postmaster.pid is the process, the eighth its state (src/include/utils/pidfile.h). */
async function isReady(cluster: Cluster, pid: number): Promise<boolean> {
  const text = await readFile(pidFileOf(cluster), 'utf8').catch(() => '');
  const lines = text.split('\n');
  return lines[0]?.trim() === String(pid) && lines[7]?.trim() === 'ready';
}

// Above the highest pid that Linux (4194304) or macOS (99999) gives out.
const nobodysPid = 4_194_305;

/**
 * A killed server leaves its pid file behind. PostgreSQL ignores one whose process is gone, but refuses to start when
 * the number was given to a stranger since, as after a reboot. Only the number is replaced: the rest of the file keeps
 * PostgreSQL's own proof that none of its processes still uses the data.
 * Throws when the process is this cluster's own live server.
 */
async function disownStranger(cluster: Cluster): Promise<void> {
  const text = await readFile(pidFileOf(cluster), 'utf8').catch(() => '');
  const [first = '', ...rest] = text.split('\n');
  const pid = Number(first.trim());
  if (!Number.isInteger(pid) || pid <= 0) return;
  const command = await commandOf(pid);
  if (command === undefined) return;
  if (command.includes('postgres') && command.includes(cluster.data)) {
    throw new StartError(`PostgreSQL already runs on ${cluster.data} (pid ${pid}); stop it first`);
  }
  await writeFile(pidFileOf(cluster), [String(nobodysPid), ...rest].join('\n'));
}
