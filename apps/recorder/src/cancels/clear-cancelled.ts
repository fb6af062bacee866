import { decideReconcile, isTerminal, type Priority, type ReconcileMarks } from '@jetbeat/core';
import type { Bus, CancelledKeys } from '@jetbeat/jetstream';
import { type Database, databaseTime, getJob } from '@jetbeat/postgres';
import { inGroups, lookUp } from '../reconciling/look-up.ts';
import { streamEnds, streamFacts } from '../reconciling/stream-facts.ts';

/** Where clearing has got to. */
export interface ClearProgress {
  /** Where the streams ended when a finished job was first seen here. */
  readonly seen: Map<string, ReconcileMarks>;
  /** How many keys the pass before had come to. */
  passed: number;
}

/** What clearing needs. */
export interface ClearCancelledParams {
  readonly db: Database;
  readonly bus: Bus;
  readonly cancelled: CancelledKeys;
  /** Kept between passes. */
  readonly progress: ClearProgress;
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
  readonly movedBelow?: number;
}

const GROUP = 16;

/**
 * Removes the cancel keys of jobs that are over, once no message of theirs can come any more. Until then the key is what
 * keeps a worker from running them.
 * @returns how many were removed
 */
export async function clearCancelled(params: ClearCancelledParams): Promise<number> {
  const { db, bus, cancelled, progress, keepMs, limit } = params;
  const { seen } = progress;
  const endedBefore = (await databaseTime(db)) - keepMs;
  const finished: FinishedJob[] = [];
  const ids = cancelled.ids();
  const from = progress.passed < ids.length ? progress.passed : 0;
  progress.passed = from + limit;
  for (const id of ids.slice(from, from + limit)) {
    const row = await getJob(db, id);
    if (row && isTerminal(row.state) && (row.finishedAt ?? Number.POSITIVE_INFINITY) < endedBefore)
      finished.push(row);
  }
  const there = new Set(ids);
  for (const id of seen.keys()) if (!there.has(id)) seen.delete(id);
  if (finished.length === 0) return 0;
  const factsOf = await streamFacts(bus, finished);
  const gone = await inGroups(finished, GROUP, async (job) => {
    // What is void counts too: it is what the key is for.
    const { movedBelow: _, ...place } = job;
    const found = await lookUp(bus, place);
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
