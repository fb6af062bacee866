import { randomUUID } from 'node:crypto';
import type { JobToPublish } from '@jetbeat/jetstream';
import {
  type BatchOutcome,
  type BatchStep,
  type Database,
  databaseTime,
  openBatches,
  settleBatchStep,
  takeBatchStep,
} from '@jetbeat/postgres';
import { every, type Log, type Loop } from '@jetbeat/runtime';

/** How often it is looked for batches, and for their next step, milliseconds. */
const EVERY_MS = 1_000;
const STEP_MS = 50;
/** How long a batch that waits for something is left alone, milliseconds. */
const WAIT_MS = 1_000;
/** How long whoever has taken a step has it alone, milliseconds: so late a batch goes on when he has died. */
const LEASE_MS = 10_000;
/** How long one batch goes on before others have their turn, milliseconds. */
const TURN_MS = 1_000;
/** Batches that go on at once in one process. */
const AT_ONCE = 4;

/**
 * Carries out batches, a step at a time; every API does, and one of them each step. Which jobs a step is for is stored before it is begun, and
 * what it makes together with how far the batch is, so that whatever dies, each job is acted on, and nothing is made twice; what
 * could not be published any more the recorder publishes.
 */
export function createBatchLoop(params: {
  readonly db: Database;
  readonly act: (step: BatchStep) => Promise<BatchOutcome>;
  readonly publish: (job: JobToPublish) => void;
  /** Tells why history may not have heard of everything yet; undefined: it has. */
  readonly behind: () => Promise<string | undefined>;
  readonly log: Log;
}): Loop {
  const { db, act, publish, behind, log } = params;
  /** Those that wait, and until when. */
  const waits = new Map<string, number>();

  /** False where there is nothing to do now. */
  const step = async (id: string): Promise<boolean> => {
    const now = await databaseTime(db);
    const taken = await takeBatchStep(db, { id, now, lease: randomUUID(), leaseMs: LEASE_MS, behind });
    if (!taken) return false;
    const outcome = await act(taken);
    const made = await settleBatchStep(db, { ...outcome, step: taken, now: await databaseTime(db) });
    if (!made) {
      log.warn({ batch: id }, 'a step of a batch took too long: somebody else has taken it over');
      return false;
    }
    for (const { envelope, traceparent } of made) publish({ envelope, traceparent });
    const { done, skipped, failures, left, waitingFor } = outcome;
    log.info(
      { batch: id, action: taken.batch.action, done, skipped, failed: failures.length },
      'batch goes on',
    );
    if (left.length === 0 || done + skipped + failures.length > 0) return true;
    waits.set(id, performance.now() + WAIT_MS);
    log.info({ batch: id, waitingFor }, 'batch waits');
    return false;
  };
  const turn = async (id: string, signal: AbortSignal): Promise<void> => {
    const until = performance.now() + TURN_MS;
    while (!signal.aborted && (await step(id)) && performance.now() < until);
  };
  const pass = async (signal: AbortSignal): Promise<number> => {
    const open = await openBatches(db);
    for (const id of waits.keys()) if (!open.includes(id)) waits.delete(id);
    const next = open.filter((id) => (waits.get(id) ?? 0) <= performance.now());
    const lane = async (): Promise<void> => {
      for (let id = next.shift(); id !== undefined && !signal.aborted; id = next.shift())
        await turn(id, signal).catch((error: unknown) => {
          // One that fails holds up neither the others nor who stops this.
          waits.set(id, performance.now() + WAIT_MS);
          log.warn({ err: error, batch: id }, 'a step of a batch failed: it is tried again');
        });
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    return open.length === 0 ? EVERY_MS : STEP_MS;
  };
  return every({ name: 'batches', intervalMs: EVERY_MS, log, pass });
}
