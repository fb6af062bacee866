import { formatDuration, placeOf, type Settings, type TaskLimits, type TaskRate } from '@jetbeat/core';
import type { TaskAnswer } from '@jetbeat/core/http';
import type { TaskLimitsRecord } from '@jetbeat/postgres';
import { maySeeQueue, type Scoped } from '../access/caller.ts';
import { timeText } from '../jobs/job-json.ts';
import { policyJson } from '../jobs/policy-json.ts';
import type { Fleet } from './fleet.ts';

/** What is known of a task. */
interface Known {
  readonly limits: TaskLimitsRecord | undefined;
  /** As the caller sees it. */
  readonly fleet: Fleet;
  readonly settings: Settings;
  readonly caller: Scoped;
}

/** An input schema that is larger than this as JSON is cut in lists, characters. */
const MOST = 4_096;

/** A task as the API shows it to a caller. */
export function taskJson(name: string, known: Known): TaskAnswer {
  const { limits, fleet, settings, caller } = known;
  const { tasks } = fleet;
  // Undefined where no worker was ever heard of that serves it.
  const task = tasks.get(name);
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
    ...taskLimitsJson({ ...below, ...limits?.own }),
    configured: taskLimitsJson(below),
    queue,
    priority,
    policy: policyJson({ task: name, queue: queue ?? '' }, { settings, tasks, caller }),
    ...(task?.inputSchema === undefined ? {} : { inputSchema: task.inputSchema }),
    queues: [...(fleet.served.get(name) ?? [])].sort(),
    seenAt: task ? timeText(task.seenAt) : null,
  };
}

/** A task as a list shows it. */
export function listedTaskJson(name: string, known: Known): TaskAnswer {
  const { inputSchema, ...task } = taskJson(name, known);
  if (inputSchema === undefined) return task;
  return JSON.stringify(inputSchema).length > MOST
    ? { ...task, cut: ['inputSchema'] }
    : { ...task, inputSchema };
}

function pick({ rate, concurrency }: TaskLimits = {}): TaskLimits {
  return { ...(rate ? { rate } : {}), ...(concurrency ? { concurrency } : {}) };
}

/** Limits of a task as they are written. */
export function taskLimitsJson({ rate, concurrency }: TaskLimits): TaskAnswer['configured'] {
  return {
    rateLimit: rate ? rateJson(rate) : null,
    concurrencyKey: concurrency ? { key: concurrency.key, limit: concurrency.limit } : null,
  };
}

function rateJson({ periodMs, ...counts }: TaskRate): NonNullable<TaskAnswer['rateLimit']> {
  return { ...counts, period: formatDuration(periodMs) };
}
