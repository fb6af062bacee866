import { type Bus, inside } from '../connection/bus.ts';
import { BatchUse } from './batch-use.ts';
import type { JobToPublish, PublishResult } from './job-to-publish.ts';
import { Pipeline } from './pipeline.ts';
import { LEAST_JOBS, publishBatches } from './publish-batches.ts';

/** Default bound of one publish, in milliseconds. */
const TIMEOUT_MS = 5_000;

/**
 * Publishes jobs, many in flight, and waits until JetStream has answered for each.
 * @returns a result per job, in the same order. `error` is PublishRefusedError or InvalidInputError (definitely not stored),
 *   PublishUnconfirmedError (may be stored), or BusClosedError. Never rejects.
 */
export async function publishJobs(
  bus: Bus,
  items: readonly JobToPublish[],
  options: { readonly timeoutMs?: number } = {},
): Promise<PublishResult[]> {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const inner = inside(bus);
  if (items.length >= LEAST_JOBS && (await inner.part(BatchUse).pays())) {
    return publishBatches(inner, items, timeoutMs);
  }
  return inner.part(Pipeline).publish(items, { timeoutMs });
}
