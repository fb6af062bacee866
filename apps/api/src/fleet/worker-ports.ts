import type { WorkerCommand, WorkerReport } from '@jetbeat/core';
import { tellWorker } from '@jetbeat/jetstream';
import { type Database, databaseTime } from '@jetbeat/postgres';
import { needConnection } from '../jobs/reach-job.ts';
import { connected, type ReachParams } from '../jobs/reach-ports.ts';
import { ApiError } from '../problems/problem.ts';

/** How long a worker may take to answer, milliseconds; one that takes on a queue asks JetStream for it. */
const ANSWER_MS = 3_000;
/** The same for what is only shown. */
const LOOK_MS = 500;
const RETRY_SILENT = 2;
const RETRY_REFUSED = 5;

/** What workers can be told and asked. */
export interface WorkerPorts {
  /** Of whom was heard after this is alive; PostgreSQL's time, Unix milliseconds. */
  aliveSince(): Promise<{ readonly now: number; readonly since: number }>;
  /**
   * Tells a worker, and resolves with what it has answered.
   * @throws ApiError messaging_unavailable; workers_silent when it may have done it; worker_gone, worker_refuses when it has not
   */
  tell(worker: string, command: WorkerCommand): Promise<WorkerReport>;
  /** What it says of itself; undefined where it does not answer at once. */
  look(worker: string): Promise<WorkerReport | undefined>;
}

/** Workers on the real servers. */
export function createWorkerPorts(params: ReachParams & { readonly db: Database }): WorkerPorts {
  const { db, messaging, ackWaitMs } = params;
  return {
    async aliveSince() {
      const now = await databaseTime(db);
      return { now, since: now - ackWaitMs };
    },
    async tell(worker, command) {
      needConnection({ isConnected: () => messaging()?.bus.connected ?? false });
      const told = await tellWorker(connected(params).bus, { worker, command, timeoutMs: ANSWER_MS });
      if (told.kind === 'nobody') {
        const message = `no worker ${worker} listens: it has ended, or is cut off from NATS, or is of a version that cannot be told anything; nothing was changed`;
        throw new ApiError('worker_gone', message);
      }
      if (told.kind === 'silent') {
        const message = `the worker did not answer within ${ANSWER_MS} ms; it may do it all the same: repeat later, a repeat does no harm`;
        throw new ApiError('workers_silent', message, { retryAfter: RETRY_SILENT });
      }
      const { answer } = told;
      if (answer.refused === undefined) return answer.report;
      throw new ApiError('worker_refuses', answer.refused, { retryAfter: RETRY_REFUSED });
    },
    async look(worker) {
      const bus = messaging()?.bus;
      if (!bus?.connected) return undefined;
      const told = await tellWorker(bus, { worker, command: { do: 'look' }, timeoutMs: LOOK_MS });
      return told.kind === 'answer' ? told.answer.report : undefined;
    },
  };
}
