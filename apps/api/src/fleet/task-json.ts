import {
  formatDuration,
  placeOf,
  type Settings,
  type TaskAnswer,
  type TaskLimits,
  type TaskRate,
} from '@jetbeat/core';
import type { TaskLimitsRecord, TaskRecord } from '@jetbeat/postgres';
import { maySeeQueue, type Scoped } from '../access/caller.ts';
import { timeText } from '../jobs/job-json.ts';
import { policyJson } from '../jobs/policy-json.ts';
import type { Fleet } from './fleet.ts';

/** A task as the API shows it to a caller. `fleet`: as that one sees it. */
export function taskJson(
  name: string,
  known: {
    /** Undefined where no worker was ever heard of that serves it. */
    readonly task: TaskRecord | undefined;
    readonly limits: TaskLimitsRecord | undefined;
    readonly fleet: Pick<Fleet, 'served'>;
    readonly settings: Settings;
    readonly caller: Scoped;
  },
): TaskAnswer {
  const { task, limits, fleet, settings, caller } = known;
  const configured = settings.of(name);
  const over = configured.over.policy;
  const below: TaskLimits = {
    ...pick(task?.policy),
    ...pick(over),
  };
  const place = placeOf({}, configured, task);
  const { priority } = place;
  const queue = maySeeQueue(caller, place.queue) ? place.queue : null;
  return {
    name,
    version: limits?.version ?? 0,
    ...limitsJson({ ...below, ...limits?.own }),
    configured: limitsJson(below),
    queue,
    priority,
    policy: policyJson({ task: name, queue: queue ?? '' }, { settings, task }),
    ...(task?.inputSchema === undefined ? {} : { inputSchema: task.inputSchema }),
    queues: [...(fleet.served.get(name) ?? [])].sort(),
    seenAt: task ? timeText(task.seenAt) : null,
  };
}

function pick({ rate, concurrency }: TaskLimits = {}): TaskLimits {
  return { ...(rate ? { rate } : {}), ...(concurrency ? { concurrency } : {}) };
}

function limitsJson({ rate, concurrency }: TaskLimits): TaskAnswer['configured'] {
  return {
    rateLimit: rate ? rateJson(rate) : null,
    concurrencyKey: concurrency ? { key: concurrency.key, limit: concurrency.limit } : null,
  };
}

function rateJson({ periodMs, ...counts }: TaskRate): NonNullable<TaskAnswer['rateLimit']> {
  return { ...counts, period: formatDuration(periodMs) };
}
