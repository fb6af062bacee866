import { randomBytes } from 'node:crypto';
import type { Client } from '@jetbeat/client';
import { flaky, inProcess, inThread, large, noop, wait } from '../tasks.ts';
import type { LoadAnswer, ManyOf } from './command.ts';
import { input } from './input.ts';

/** So many concurrency keys, with one slot each. */
const KEYS = 100;
const WAIT_MS = 10;
/** 256 KiB of text that cannot be made much smaller. */
const LARGE_BYTES = 192 * 1024;

/** Enqueues all jobs with one call of `enqueueMany`, from a source that is read as it goes. */
export async function enqueueAll(
  client: Client,
  params: { count: number; failures?: number; of?: ManyOf },
): Promise<LoadAnswer> {
  const { count, failures, of = 'noop' } = params;
  const begun = performance.now();
  if (failures === undefined) await makers[of](client, count);
  else {
    const failing = each(count, (number) => ({ number, failures: failures + (number % 2) }));
    await client.enqueueMany(flaky, failing);
  }
  return { seconds: (performance.now() - begun) / 1_000, begun: performance.timeOrigin + begun };
}

const makers: Readonly<Record<ManyOf, (client: Client, count: number) => Promise<unknown>>> = {
  noop: (client, count) => client.enqueueMany(noop, each(count, input)),
  keyed: (client, count) =>
    client.enqueueMany(
      noop,
      each(count, (number) => ({ input: input(number), options: { concurrencyKey: `k${number % KEYS}` } })),
    ),
  'in-thread': (client, count) =>
    client.enqueueMany(
      inThread,
      each(count, (number) => ({ number })),
    ),
  'in-process': (client, count) =>
    client.enqueueMany(
      inProcess,
      each(count, (number) => ({ number })),
    ),
  wait: (client, count) =>
    client.enqueueMany(
      wait,
      each(count, () => ({ ms: WAIT_MS })),
    ),
  large(client, count) {
    const text = randomBytes(LARGE_BYTES).toString('base64');
    return client.enqueueMany(
      large,
      each(count, () => ({ text })),
    );
  },
};

function* each<T>(count: number, make: (number: number) => T): Generator<T> {
  for (let number = 0; number < count; number++) yield make(number);
}
