import type { publishJobs } from '@jetbeat/jetstream';
import { noteReconcile, rebuildJob, undoMove, writeMove } from '@jetbeat/postgres';
import type { MovePorts } from './move-job.ts';
import { connected, createReachPorts, type ReachParams } from './reach-ports.ts';

/** Moving jobs on the real servers. */
export function createMovePorts(
  params: ReachParams & {
    readonly publish: typeof publishJobs;
    readonly warn: (error: unknown, job: string) => void;
  },
): MovePorts {
  const { db, clock, publish, warn } = params;
  return {
    ...createReachPorts(params),
    clock,
    write: (job, moved, audit) => writeMove(db, { job, moved, ...(audit === undefined ? {} : { audit }) }),
    undo: (job, moved, running, audit) =>
      undoMove(db, { job, moved, running, now: clock(), ...(audit === undefined ? {} : { audit }) }),
    markMoved: (id, below) => connected(params).cancelled.move(id, below),
    unmarkMoved: (id, below) => connected(params).cancelled.unmove(id, below),
    async publishMoved(job) {
      const rebuilt = rebuildJob(job, clock());
      if (!rebuilt) return;
      const [result] = await publish(connected(params).bus, [rebuilt]);
      // The row says that it is not published, so the recorder will.
      if (!result?.ok) return warn(result?.error, job.id);
      const { id, order, dueAt: checkAt } = job;
      const published = result.delayed ? {} : { seq: result.seq };
      await noteReconcile(db, [{ id, order, checkAt, published }]).catch((error: unknown) => warn(error, id));
    },
  };
}
