import { decideReconcile, isTerminal, type Priority, type ReconcileMarks } from '@jetbeat/core';
import type { Bus, CancelledKeys } from '@jetbeat/jetstream';
import { type Database, databaseTime, getJob } from '@jetbeat/postgres';
import { inGroups, lookUp } from './look-up.ts';
import { streamEnds, streamFacts } from './stream-facts.ts';

/** What clearing needs. */
export interface ClearCancelledParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly cancelled: CancelledKeys;
  /** Where the streams ended when a finished job was first seen here; kept between passes. */
  readonly seen: Map<string, ReconcileMarks>;
  /** A key is kept at least so long after its job has ended, in milliseconds. */
  readonly keepMs: number;
  /** Keys in one pass. */
  readonly limit: number;
}

interface FinishedJob {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: Priority;
  readonly seq?: number;
}

const GROUP = 16;

/**
 * Removes the cancel keys of jobs that are over, once no message of theirs can come any more. Until then the key is what
 * keeps a worker from running them.
 * @returns how many were removed
 */
export async function clearCancelled(params: ClearCancelledParams): Promise<number> {
  const { db, bus, cancelled, seen, keepMs, limit } = params;
  const endedBefore = (await databaseTime(db)) - keepMs;
  const finished: FinishedJob[] = [];
  for (const id of cancelled.ids().slice(0, limit)) {
    const row = await getJob(db, id);
    if (row && isTerminal(row.state) && (row.finishedAt ?? Number.POSITIVE_INFINITY) < endedBefore)
      finished.push(row);
  }
  forgetAllBut(seen, finished);
  if (finished.length === 0) return 0;
  const factsOf = await streamFacts(bus, finished);
  const gone = await inGroups(finished, GROUP, async (job) => {
    const found = await lookUp(bus, job);
    const open = { published: true, seq: job.seq, note: seen.get(job.id) };
    return decideReconcile(open, factsOf(job), found) === 'republish';
  });
  const ends = await streamEnds(bus);
  let removed = 0;
  for (const [index, { id }] of finished.entries()) {
    if (!gone[index]) {
      if (!seen.has(id)) seen.set(id, ends);
      continue;
    }
    await cancelled.remove(id);
    seen.delete(id);
    removed += 1;
  }
  return removed;
}

function forgetAllBut(seen: Map<string, ReconcileMarks>, kept: readonly FinishedJob[]): void {
  const ids = new Set(kept.map(({ id }) => id));
  for (const id of seen.keys()) if (!ids.has(id)) seen.delete(id);
}
