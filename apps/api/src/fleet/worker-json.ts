import type { WorkerReport } from '@jetbeat/core';
import type { WorkerJson, WorkerTold } from '@jetbeat/core/http';
import { type WorkerRecord, workerState } from '@jetbeat/postgres';
import { maySeeQueue, type Scoped } from '../access/caller.ts';

/**
 * A worker as it is answered: of others' queues nothing is told.
 * @param params.since those of which was heard after this are alive, Unix milliseconds
 * @param params.report what it has just said of itself
 */
export function workerJson(
  worker: WorkerRecord,
  params: { readonly since: number; readonly caller: Scoped; readonly report?: WorkerReport | undefined },
): WorkerJson {
  const { since, caller, report } = params;
  const { id, host, pid, version, tasks, startedAt, heardAt } = worker;
  const { queues, concurrency, held } = report ?? worker;
  const own = report?.jobs.filter(({ queue }) => maySeeQueue(caller, queue));
  const jobs = report?.jobs ?? [];
  // How busy others keep it is none of the caller's business; it is not known which of its jobs are whose.
  const isOwn = [...queues, ...jobs.map(({ queue }) => queue)].every((queue) => maySeeQueue(caller, queue));
  return {
    id,
    host,
    pid,
    version,
    concurrency,
    held: isOwn ? held : null,
    state: workerState({ ...worker, draining: report ? report.state !== 'running' : worker.draining }, since),
    queues: queues.filter((queue) => maySeeQueue(caller, queue)),
    startedAt: new Date(startedAt).toISOString(),
    heardAt: new Date(heardAt).toISOString(),
    tasks: [...tasks],
    ...(report && own
      ? {
          ...(isOwn ? { running: report.running } : {}),
          jobs: own.map(({ startedAt: begun, ...job }) => ({
            ...job,
            ...(begun === undefined ? {} : { startedAt: new Date(begun).toISOString() }),
          })),
        }
      : {}),
  };
}

/** What a worker has answered. */
export function toldJson(report: WorkerReport): WorkerTold {
  const { worker: id, state, changed, queues, concurrency, held, running, givenBack } = report;
  return { id, state, changed, queues: [...queues], concurrency, held, running, givenBack };
}
