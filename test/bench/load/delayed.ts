import type { Client } from '@jetbeat/client';
import { delayed } from '../tasks.ts';
import type { LoadAnswer } from './command.ts';

/** Enqueues jobs that wait for their time: the first runs at `from`, each other one `everyMs` after the one before. */
export async function enqueueDelayed(
  client: Client,
  params: { count: number; from: number; everyMs: number; round: number },
): Promise<LoadAnswer> {
  const { count, from, everyMs, round } = params;
  const begun = performance.now();
  const items = function* () {
    for (let number = 0; number < count; number++) {
      const runAt = new Date(Math.floor(from + number * everyMs));
      yield { input: { round }, options: { runAt } };
    }
  };
  await client.enqueueMany(delayed, items());
  return { seconds: (performance.now() - begun) / 1_000, begun: performance.timeOrigin + begun };
}
