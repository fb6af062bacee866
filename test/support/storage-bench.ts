import { type Client, connect, type EnqueueError } from '@jetbeat/client';
import {
  type Bus,
  connectBus,
  eventsState,
  jobsStreamState,
  type StorageWatch,
  watchStorage,
} from '@jetbeat/jetstream';
import { onTestFinished } from 'vitest';
import { type Ledger, startLedger } from './ledger.ts';
import { type Stack, startStack } from './stack.ts';
import { waitUntil } from './wait-until.ts';

/** The room of JetStream's files, in MiB. */
export const MAX_FILE_MIB = 48;

/** A stack whose storage fills up. */
export interface StorageBench {
  readonly stack: Stack;
  readonly ledger: Ledger;
  readonly client: Client;
  readonly bus: Bus;
  readonly storage: StorageWatch;
}

/** Starts it; it is stopped when the test has finished. */
export async function startStorageBench(params: Parameters<typeof startStack>[0]): Promise<StorageBench> {
  const ledger = await startLedger({ failsFirst: (path) => path.startsWith('/retrying') });
  onTestFinished(() => ledger.stop());
  const stack = await startStack({ ackWait: '1s', ...params });
  onTestFinished(() => stack.stop());
  // It makes EVENTS as large as its configuration says.
  await stack.start('recorder');
  const servers = stack.nats.url;
  const [client, bus] = await Promise.all([connect({ servers }), connectBus({ servers, name: 'test' })]);
  onTestFinished(async () => {
    await client.close();
    await bus.close();
  });
  return { stack, ledger, client, bus, storage: watchStorage(bus) };
}

interface Filled {
  readonly taken: string[];
  tried: number;
}

/**
 * Enqueues until it is refused. From a third full on it goes no faster than 1 MB per word of the recorder: whoever fills all
 * that is kept free between two words is refused by the server itself.
 * @param into the paths of the jobs that were taken are added to it
 */
async function fillOnce({ client, ledger, storage }: StorageBench, into: Filled): Promise<EnqueueError> {
  const pad = 'x'.repeat(8_000);
  for (;;) {
    const path = `/bulk/${into.tried++}`;
    const input = { ms: 1, url: ledger.url + path, pad };
    const error = await client.enqueue('test.wait', input, { queue: 'bulk' }).then(
      () => undefined,
      (refusal: EnqueueError) => refusal,
    );
    if (error) return error;
    into.taken.push(path);
    if (into.tried < 2_000 || into.tried % 125 > 0) continue;
    const heardAt = storage.last?.heardAt;
    await waitUntil('a recorder speaks', () => storage.last?.heardAt !== heardAt, { everyMs: 10 });
  }
}

/** The same, until it is jobs that fill the store, and the refusal says so: what a slow recorder leaves in EVENTS goes by itself. */
export async function fill(bench: StorageBench): Promise<{ taken: string[]; refusal: EnqueueError }> {
  const { bus } = bench;
  const into: Filled = { taken: [], tried: 0 };
  let refusal = await fillOnce(bench, into);
  for (;;) {
    await waitUntil('EVENTS is recorded and trimmed', async () => {
      const { lastSeq, recordedUpTo, bytes, maxBytes } = await eventsState(bus);
      return recordedUpTo >= lastSeq && bytes < maxBytes / 3;
    });
    const { bytes } = await jobsStreamState(bus);
    const isOfStore = refusal.message.includes('the storage of JetStream');
    if (isOfStore && bytes >= 0.71 * MAX_FILE_MIB * 1024 ** 2) return { taken: into.taken, refusal };
    refusal = await fillOnce(bench, into);
  }
}
