import type { Client } from '@jetbeat/client';
import { noop } from '../tasks.ts';
import type { LoadAnswer } from './command.ts';
import { input } from './input.ts';

/** Keeps `inFlight` calls of `enqueue` open until `count` were answered. */
export async function enqueueOneByOne(
  client: Client,
  params: { count: number; inFlight: number },
): Promise<LoadAnswer> {
  const { count, inFlight } = params;
  const begun = performance.now();
  let next = 0;
  const caller = async () => {
    while (next < count) await client.enqueue(noop, input(next++));
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  return { seconds: (performance.now() - begun) / 1_000, begun: performance.timeOrigin + begun };
}
