import type { Client } from '@jetbeat/client';
import { flaky, noop } from '../tasks.ts';
import type { LoadAnswer } from './command.ts';
import { input } from './input.ts';

/** Enqueues all jobs with one call of `enqueueMany`, from a source that is read as it goes. */
export async function enqueueAll(
  client: Client,
  params: { count: number; failures?: number },
): Promise<LoadAnswer> {
  const { count, failures } = params;
  const begun = performance.now();
  if (failures === undefined) await client.enqueueMany(noop, inputs(count));
  else await client.enqueueMany(flaky, failing(count, failures));
  return { seconds: (performance.now() - begun) / 1_000, begun: performance.timeOrigin + begun };
}

function* inputs(count: number) {
  for (let number = 0; number < count; number++) yield input(number);
}

function* failing(count: number, failures: number) {
  for (let number = 0; number < count; number++) yield { number, failures: failures + (number % 2) };
}
