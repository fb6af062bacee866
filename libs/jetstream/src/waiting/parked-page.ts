import { type Bus, inside } from '../connection/bus.ts';
import { inNamespace } from '../streams/names.ts';
import { readEntries } from './direct-entries.ts';
import { type StoredJob, storedJob } from './find-message.ts';

/** Messages in one page. Their contents come with them, so their bytes are bounded too. */
const PAGE = { batch: 500, max_bytes: 2 * 1024 ** 2 };

/**
 * The next jobs that are parked for a key, from a sequence on, in their order. Any replica of the stream may answer (NATS ADR-31): one that
 * lags behind knows less of the end, and may know some that have gone.
 * @throws JetStreamCallError, BusClosedError
 */
export async function readParkedPage(
  bus: Bus,
  { hash, from }: { readonly hash: string; readonly from: number },
): Promise<readonly StoredJob[]> {
  const inner = inside(bus);
  const filter = inNamespace(inner, `parked.*.key:${hash}.*`);
  const request = JSON.stringify({ seq: from, next_by_subj: filter, ...PAGE });
  const jobs: StoredJob[] = [];
  for await (const entry of readEntries(inner, request)) {
    if (entry.left !== undefined) break;
    jobs.push(storedJob(entry));
  }
  return jobs;
}
