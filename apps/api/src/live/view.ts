import type { LiveQuery } from '@jetbeat/core/http';
import { type Caller, maySeeQueue } from '../access/caller.ts';
import { eventId } from './event-id.ts';
import { frame } from './frame.ts';
import { hidePayload } from './hide-payload.ts';
import type { ToldEvent, ToldWorkerEvent } from './told-event.ts';

/** What a stream was asked for, and what its caller may see of it. */
export interface View {
  /** The same for all who see the same: they share what is written for them. */
  readonly key: string;
  /** The only jobs that it is about. */
  readonly jobs: readonly string[] | undefined;
  sees(event: ToldEvent): boolean;
  /** The data of an event, as the caller may see it. */
  dataOf(event: ToldEvent): object;
  /** The event as it is written for it. */
  frameOf(event: ToldEvent, place: { readonly epoch: string; readonly seq: number }): string;
}

/** What a stream can be asked for. */
export type LiveFilter = Omit<LiveQuery, 'lastEventId'>;

/** Makes the view of a caller: nothing of other queues than its own, and no payloads where it may see none. */
export function createView(filter: LiveFilter, caller: Pick<Caller, 'queues' | 'payloads'>): View {
  const { type, queue, task, job } = filter;
  const { payloads } = caller;
  const types = setOf(type);
  const queues = setOf(queue);
  const tasks = setOf(task);
  const jobs = setOf(job);
  const seesQueue = (name: string) => has(queues, name) && maySeeQueue(caller, name);
  return {
    key: JSON.stringify([
      sorted(type),
      sorted(queue),
      sorted(task),
      sorted(job),
      sorted(caller.queues),
      payloads,
    ]),
    jobs: job && [...new Set(job)],
    sees(event) {
      if (!has(types, event.type)) return false;
      if (event.of === 'worker') return !tasks && !jobs && event.data.worker.queues.some(seesQueue);
      return has(tasks, event.task) && has(jobs, event.job) && seesQueue(event.queue);
    },
    dataOf,
    frameOf(event, { epoch, seq }) {
      const { type, index } = event;
      return frame({ id: eventId({ epoch, seq, index }), type, data: dataOf(event) });
    },
  };

  function dataOf(event: ToldEvent): object {
    if (event.of === 'worker') return caller.queues === undefined ? event.data : ownQueues(event);
    return payloads ? event.data : hidePayload(event.data);
  }

  /** The names of other queues are none of its business, and neither is how busy they keep a worker. */
  function ownQueues({ data }: ToldWorkerEvent): object {
    const { worker } = data;
    const queues = worker.queues.filter((name) => maySeeQueue(caller, name));
    const held = queues.length === worker.queues.length ? worker.held : null;
    return { ...data, worker: { ...worker, queues, held } };
  }
}

function setOf(values: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return values && new Set(values);
}

function sorted(values: readonly string[] | undefined): readonly string[] | null {
  return values ? [...new Set(values)].sort() : null;
}

/** Where nothing is named, all are meant. */
function has(names: ReadonlySet<string> | undefined, name: string): boolean {
  return names === undefined || names.has(name);
}
