import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNats } from '@jetbeat/infra/dev';
import { ownPort } from './ports.ts';

export { testNamespace } from './namespaces.ts';

/** The address of the nats-server that the test run started. */
export function natsUrl(): string {
  const url = process.env.JETBEAT_TEST_NATS_URL;
  if (!url)
    throw new Error(
      'JETBEAT_TEST_NATS_URL is not set: run the tests with vitest from the root, which starts the servers',
    );
  return url;
}

/** What a test passes to `ensureTopology` besides its queues: EVENTS small, since the server reserves its bound at once. */
export const testTopology = { ackWaitMs: 30_000, eventsMaxBytes: 32 * 1024 ** 2 } as const;

/** A nats-server of a test's own, to be killed. */
export interface OwnNats {
  readonly url: string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with the same store, or with an empty one. */
  start(options?: { readonly wiped?: boolean }): Promise<void>;
  /** SIGSTOP: its connections stay, and nothing is answered, as where a network is cut. */
  freeze(): void;
  /** It goes on where it stood. */
  thaw(): void;
  /** Stops it and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a nats-server of a test's own; whoever starts it stops it. */
export async function startOwnNats(options: { readonly maxFile?: number } = {}): Promise<OwnNats> {
  const dir = await mkdtemp(join(tmpdir(), 'jetbeat-nats-'));
  const bin = process.env.JETBEAT_TEST_NATS_BIN;
  if (!bin) throw new Error('JETBEAT_TEST_NATS_BIN is not set: run the tests with vitest from the root');
  const start = (port: number) => startNats({ bin, dir, port, log: () => {}, ...options });
  let server = await start(await ownPort());
  const { url, port } = server;
  return {
    url,
    kill: async () => {
      server.kill();
      await server.exited;
    },
    start: async ({ wiped = false } = {}) => {
      if (wiped) await rm(join(dir, 'store'), { recursive: true, force: true });
      server = await start(port);
    },
    freeze: () => void process.kill(server.pid, 'SIGSTOP'),
    thaw: () => void process.kill(server.pid, 'SIGCONT'),
    stop: async () => {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
