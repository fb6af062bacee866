import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { becomesReady, startServerProcess } from '@jetbeat/infra/dev';
import { ownPort } from './ports.ts';

/** A nats-server whose only account allows so many consumers of a stream. */
export interface LimitedNats {
  readonly url: string;
  /** Stops it and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a nats-server that an operator has given bounds; whoever starts it stops it. */
export async function startLimitedNats({ maxConsumers }: { maxConsumers: number }): Promise<LimitedNats> {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-nats-'));
  const command = process.env.JETBEAT_TEST_NATS_BIN;
  if (!command) throw new Error('JETBEAT_TEST_NATS_BIN is not set: run the tests with vitest from the root');
  const port = await ownPort();
  const configuration = `listen: "127.0.0.1:${port}"
jetstream { store_dir: ${JSON.stringify(join(dir, 'store'))}, max_file_store: 4G }
accounts { A { jetstream { max_consumers: ${maxConsumers} }, users [{ user: a, password: a }] } }
no_auth_user: a
`;
  const configFile = join(dir, 'nats-server.conf');
  await writeFile(configFile, configuration);
  const server = await startServerProcess({
    command,
    args: ['--config', configFile],
    cwd: dir,
    outputFile: join(dir, 'nats-server.out'),
    stopSignals: [{ signal: 'SIGTERM', waitMs: 2_000 }],
  });
  const stop = async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  };
  const state = await becomesReady({
    server,
    ready: () => takesConnections(port),
    timeoutMs: 30_000,
    signal: undefined,
  });
  if (state === 'ready') return { url: `nats://127.0.0.1:${port}`, stop };
  await stop();
  throw new Error(`nats-server with bounds did not start: ${JSON.stringify(state)}`);
}

/** It opens its port when JetStream is open. */
function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTo(port, '127.0.0.1');
    const finish = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.setTimeout(2_000, () => finish(false));
    socket.once('data', () => finish(true));
    socket.once('error', () => finish(false));
  });
}
