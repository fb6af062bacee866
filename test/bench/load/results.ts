import type { Client } from '@jetbeat/client';
import { noop } from '../tasks.ts';
import type { LoadAnswer } from './command.ts';
import { input } from './input.ts';

/** Enqueues a job and waits for its result, one after the other. */
export async function waitForResults(client: Client, params: { count: number }): Promise<LoadAnswer> {
  const calls: number[] = [];
  const begun = performance.now();
  for (let number = 0; number < params.count; number++) {
    const from = performance.now();
    const job = await client.enqueue(noop, input(number));
    await job.result({ timeout: '30s' });
    calls.push(performance.now() - from);
  }
  return { seconds: (performance.now() - begun) / 1_000, begun: performance.timeOrigin + begun, calls };
}
