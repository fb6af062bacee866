import { createHash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { freePort, portIsFree } from './ports.ts';
import type { Log } from './run.ts';
import { becomesReady, type ServerProcess, startServerProcess, tailOf, troubleOf } from './server-process.ts';
import { StartError } from './start-error.ts';

/** A nats-server that takes connections and whose JetStream is open. */
export interface NatsServer extends ServerProcess {
  /** `nats://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  /** Of the monitoring endpoint, when one was asked for. */
  readonly monitorUrl?: string;
}

/** What to start. Ports: 0 or absent means a free one; no `monitorPort` means no monitoring endpoint. */
export interface StartNatsParams {
  bin: string;
  /** Holds the configuration, the store and the logs; the same folder again continues with the same streams. */
  dir: string;
  log: Log;
  port?: number;
  monitorPort?: number;
  /** How often written messages are forced to disk; the design's durability rests on 100 ms. */
  syncInterval?: string;
  /** Bound of the file store in bytes; when it is full every publish is refused (error 10023). Default 8 GiB. */
  maxFile?: number;
  readyTimeoutMs?: number;
  outlive?: boolean;
  onSpawn?: (pid: number) => void;
  signal?: AbortSignal;
}

/** Bound of the file store unless another one is asked for, in bytes. */
export const defaultMaxFile = 8 * 1024 ** 3;
const maxMemory = 256 * 1024 ** 2;

/**
 * Starts nats-server on 127.0.0.1 in a session of its own and waits until it is ready.
 * After `kill()` and `exited` it may be started again with the same `dir` and `port`.
 * Throws with the server's own last words when it does not become ready.
 */
export async function startNats(params: StartNatsParams): Promise<NatsServer> {
  const dir = resolve(params.dir);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const chosen = params.port ?? 0;
  const port = chosen === 0 ? await freePort() : chosen;
  const monitorPort = params.monitorPort === 0 ? await freePort() : params.monitorPort;
  for (const wanted of [port, monitorPort]) {
    if (wanted !== undefined && !(await portIsFree(wanted))) {
      throw new StartError(`nats-server cannot start: port ${wanted} of 127.0.0.1 is in use`);
    }
  }
  const name = `jetbeat-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`;
  const logFile = join(dir, 'nats-server.log');
  const outputFile = join(dir, 'nats-server.out');
  const configFile = join(dir, 'nats-server.conf');
  await writeFile(configFile, configuration({ ...params, dir, name, port, monitorPort, logFile }), {
    mode: 0o600,
  });
  await rm(outputFile, { force: true });
  const server = await startServerProcess({
    command: params.bin,
    args: ['--config', configFile],
    cwd: dir,
    outputFile,
    stopSignals: [{ signal: 'SIGTERM', waitMs: 2000 }],
    ...(params.outlive === undefined ? {} : { outlive: params.outlive }),
    ...(params.onSpawn === undefined ? {} : { onSpawn: params.onSpawn }),
  });
  const state = await becomesReady({
    server,
    ready: () => greets(port, name),
    timeoutMs: params.readyTimeoutMs ?? 30_000,
    signal: params.signal,
  });
  if (state !== 'ready') {
    server.kill();
    await server.exited;
    const words = `${await tailOf(logFile)}\n${await tailOf(outputFile)}`.trim();
    throw new StartError(`nats-server ${troubleOf(state)}:\n${words}`);
  }
  params.log(`nats-server ready on 127.0.0.1:${port} (pid ${server.pid})`);
  const url = `nats://127.0.0.1:${port}`;
  if (monitorPort === undefined) return { ...server, url, port };
  return { ...server, url, port, monitorUrl: `http://127.0.0.1:${monitorPort}` };
}

function configuration(p: {
  dir: string;
  name: string;
  port: number;
  monitorPort: number | undefined;
  logFile: string;
  syncInterval?: string;
  maxFile?: number;
}): string {
  const monitor = p.monitorPort === undefined ? [] : [`http: "127.0.0.1:${p.monitorPort}"`];
  return [
    '# Written at every start.',
    `server_name: ${JSON.stringify(p.name)}`,
    `listen: "127.0.0.1:${p.port}"`,
    ...monitor,
    `log_file: ${JSON.stringify(p.logFile)}`,
    'logfile_size_limit: 16MB',
    'logfile_max_num: 2',
    'jetstream {',
    `  store_dir: ${JSON.stringify(join(p.dir, 'store'))}`,
    `  sync_interval: ${JSON.stringify(p.syncInterval ?? '100ms')}`,
    `  max_file_store: ${p.maxFile ?? defaultMaxFile}`,
    `  max_memory_store: ${maxMemory}`,
    '}',
    '',
  ].join('\n');
}

/**
 * True when our own server greets with JetStream open: it opens its client port after recovering the streams, and the
 * name tells it from a stranger that took the port in between.
 */
function greets(port: number, name: string): Promise<boolean> {
  return new Promise((done) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port });
    const finish = (answer: boolean) => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(2000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => done(false));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (!text.includes('\r\n')) return;
      finish(
        text.startsWith('INFO ') && text.includes(JSON.stringify(name)) && text.includes('"jetstream":true'),
      );
    });
  });
}
