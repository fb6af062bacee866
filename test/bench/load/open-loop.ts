import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import type { Client } from '@jetbeat/client';
import { latency } from '../tasks.ts';
import type { LoadAnswer } from './command.ts';

/**
 * Calls `enqueue` at evenly spaced times, however the earlier calls fare. A job carries the time at which it should have
 * been sent: a sender that is late cannot hide what a waiting user would have seen (coordinated omission).
 */
export async function openLoop(
  client: Client,
  params: { rate: number; count: number; round: number; priority?: 'high' },
): Promise<LoadAnswer> {
  const { rate, count, round, priority } = params;
  const options = priority === undefined ? {} : { priority };
  const everyNs = 1e9 / rate;
  const begun = performance.now();
  const zero = process.hrtime.bigint();
  const calls: Promise<unknown>[] = [];
  for (let number = 0; number < count; ) {
    const elapsedNs = Number(process.hrtime.bigint() - zero);
    while (number < count && number * everyNs <= elapsedNs) {
      const sentAt = zero + BigInt(Math.round(number++ * everyNs));
      calls.push(client.enqueue(latency, { sentAt: String(sentAt), round }, options));
    }
    const waitMs = (number * everyNs - elapsedNs) / 1e6;
    // Timers are about a millisecond late, so the last one is spent turning the loop.
    if (waitMs > 2) await pause(waitMs - 1.5);
    else await turn();
  }
  await Promise.all(calls);
  return { seconds: (performance.now() - begun) / 1_000, begun: performance.timeOrigin + begun };
}
