import {
  type Callback,
  type ExplainedPolicy,
  explainPolicy,
  formatDuration,
  placeOf,
  type Settings,
} from '@jetbeat/core';
import type { JobPolicy } from '@jetbeat/core/http';
import type { JobRecord } from '@jetbeat/postgres';
import { maySeeQueue, type Scoped } from '../access/caller.ts';
import type { Fleet } from '../fleet/fleet.ts';

/** What is known of tasks, and who asks. */
interface Known {
  readonly settings: Settings;
  readonly tasks: Fleet['tasks'];
  readonly caller: Scoped;
}

/** The policy of a job as the API shows it, and whose word each part of it is; callbacks into queues of others are left out. */
export function policyJson(job: Pick<JobRecord, 'task' | 'queue' | 'policy'>, known: Known): JobPolicy {
  const { settings, tasks } = known;
  const task = tasks.get(job.task);
  const explained = explainPolicy({
    call: job.policy,
    configured: settings.of(job.task),
    task: task?.policy,
    queue: settings.queue(job.queue),
  });
  const { timeout, callbacks } = explained;
  const { concurrency } = job.policy ?? {};
  return {
    retry: retryJson(explained),
    timeout: {
      ...(timeout.soft === undefined ? {} : { soft: formatDuration(timeout.soft) }),
      hard: formatDuration(timeout.hard),
    },
    ...(concurrency ? { concurrencyKey: { key: concurrency.key, limit: concurrency.limit } } : {}),
    onSuccess: callbacks.onSuccess.filter((callback) => maySee(callback, known)),
    onFailure: callbacks.onFailure.filter((callback) => maySee(callback, known)),
    from: fromJson(explained, concurrency && (concurrency.by ?? 'call')),
  };
}

/** A webhook whose queue nobody has said is of no queue more than of another one. */
function maySee({ task, queue }: Callback, { caller, settings, tasks }: Known): boolean {
  const place =
    queue ?? (task === undefined ? undefined : placeOf({}, settings.of(task), tasks.get(task)).queue);
  return place === undefined || maySeeQueue(caller, place);
}

function retryJson({ retry }: ExplainedPolicy): JobPolicy['retry'] {
  const { attempts, backoff, delay, factor, max, jitter, retryOn, noRetryOn } = retry;
  const isList = typeof delay !== 'number';
  return {
    attempts,
    // What means nothing beside a list is not shown.
    ...(isList ? {} : { backoff, ...(backoff === 'exponential' ? { factor } : {}) }),
    delay: isList ? delay.map(formatDuration) : formatDuration(delay),
    max: formatDuration(max),
    jitter,
    ...(retryOn ? { retryOn: [...retryOn] } : {}),
    ...(noRetryOn ? { noRetryOn: [...noRetryOn] } : {}),
  };
}

function fromJson(explained: ExplainedPolicy, key: 'call' | 'task' | undefined): JobPolicy['from'] {
  const { retry, timeout, callbacks } = explained.from;
  const shown = new Set(Object.keys(retryJson(explained)));
  const named = (what: string, parts: object) =>
    Object.entries(parts).map(([field, layer]) => [`${what}.${field}`, layer] as const);
  return Object.fromEntries([
    ...named('retry', retry).filter(([name]) => shown.has(name.slice('retry.'.length))),
    ...named('timeout', timeout),
    ...Object.entries(callbacks),
    ...(key === undefined ? [] : [['concurrencyKey', key] as const]),
  ]);
}
