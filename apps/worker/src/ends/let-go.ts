import type { Delivery } from '@jetbeat/jetstream';
import type { TaskLog } from '@jetbeat/task';
import type { Recent } from '../doubts/recent.ts';
import type { Held } from '../held.ts';
import type { HeldJobs } from '../held-jobs.ts';
import type { KeepAlive } from '../keep-alive/keep-alive.ts';

/** How a worker ceases to hold a job. */
export interface LetGo {
  /** Holds it no more; what becomes of its messages is decided elsewhere. */
  drop(held: Held): void;
  /**
   * Gives back what has not begun, to be handed out again after `delayMs`, or at once. What the recorder has granted to this
   * worker counts as running here, and everybody else would have to wait for it: so history is told first.
   */
  refuse(held: Held, delayMs?: number): void;
  /** Takes out for good what has not begun. */
  discard(held: Held): void;
  /** It is done here; `settled`: this step will not come again. */
  finish(held: Held, settled: boolean): void;
  /** Finishes it after its run, whose rejection is logged; then it will be delivered again. */
  after(held: Held, run: Promise<boolean>): Promise<void>;
  /** Something took over the job until it is done; a rejection is logged, and it will be delivered again. */
  track(held: Held, work: Promise<void>): void;
}

/**
 * Composes it.
 * @param params.admit takes the next step of a job, which came before this one was settled
 * @param params.turnBack tells history that what was granted has not begun
 * @param params.onRoom another may be pulled
 * @param params.onSlot a slot may be free that nobody gave back
 * @param params.onKeySlot the slots that it shared with all workers are free
 */
export function createLetGo(params: {
  jobs: Pick<HeldJobs, 'remove' | 'begin' | 'end'>;
  turnBack: (held: Held) => Promise<void>;
  recent: Recent;
  keepAlive: Pick<KeepAlive, 'release'>;
  stopped: AbortSignal;
  logOf: (held: Held) => TaskLog;
  admit: (deliveries: readonly Delivery[]) => void;
  onRoom: () => void;
  onSlot: () => void;
  onKeySlot: (held: Held) => void;
}): LetGo {
  const { jobs, turnBack, recent, keepAlive, stopped, logOf, admit, onRoom, onSlot, onKeySlot } = params;
  const drop = (held: Held) => {
    // A handler that goes on keeps its slot until it ends, or until the lease does.
    const isOver = held.phase !== 'running' && !held.lingers;
    jobs.remove(held);
    if (held.isLimited && isOver) onKeySlot(held);
    for (const key of held.kept.splice(0)) keepAlive.release(key);
    held.releaseNext()?.nak();
  };
  const nak = (held: Held, delayMs: number | undefined) => {
    for (const delivery of held.deliveries) delivery.nak(delayMs);
    drop(held);
  };
  const lose = (held: Held, error: unknown) => {
    if (!stopped.aborted) logOf(held).error({ err: error }, 'not settled; it will be delivered again');
    drop(held);
    onSlot();
    onRoom();
  };
  const finish = (held: Held, settled: boolean) => {
    if (settled) for (const { seq } of held.deliveries) recent.add(seq, held.job.id);
    const next = held.releaseNext();
    drop(held);
    if (next) admit([next]);
    else onRoom();
  };
  return {
    drop,
    finish,
    refuse(held, delayMs) {
      if (!held.granted) return nak(held, delayMs);
      jobs.begin(held);
      jobs.end(held);
      const work = turnBack(held).then(() => {
        nak(held, delayMs);
        onRoom();
      });
      work.catch((error: unknown) => lose(held, error));
    },
    discard(held) {
      for (const delivery of held.deliveries) delivery.ack();
      finish(held, true);
    },
    async after(held, run) {
      try {
        finish(held, await run);
      } catch (error) {
        lose(held, error);
      }
    },
    track(held, work) {
      work.catch((error: unknown) => lose(held, error));
    },
  };
}
