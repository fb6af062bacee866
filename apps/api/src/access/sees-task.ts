import { placeOf, type Settings } from '@jetbeat/core';
import type { Fleet } from '../fleet/fleet.ts';
import { maySeeQueue, type Scoped } from './caller.ts';

/** Whether a caller sees a task: its jobs go into one of the caller's queues, or a worker takes it from there. */
export function seesTask(caller: Scoped, name: string, settings: Settings, fleet: Fleet): boolean {
  if (caller.queues === undefined) return true;
  const { queue } = placeOf({}, settings.of(name), fleet.tasks.get(name));
  const served = fleet.served.get(name) ?? new Set();
  // One of which nobody has heard is in no queue.
  return (
    (fleet.tasks.has(name) && maySeeQueue(caller, queue)) || caller.queues.some((each) => served.has(each))
  );
}

/** The fleet as a caller sees it: of others' queues nothing is served. */
export function fleetSeenBy({ queues }: Scoped, fleet: Fleet): Fleet {
  if (queues === undefined) return fleet;
  const only = (served: ReadonlySet<string>) => new Set(queues.filter((queue) => served.has(queue)));
  const served = new Map([...fleet.served].map(([task, on]) => [task, only(on)]));
  return { ...fleet, served, only: queues };
}
