import type { TaskRef } from '@jetbeat/core';
import { publishUnique } from './enqueue-unique.ts';
import { type EnqueueOptions, prepare } from './prepare.ts';
import { publish, type Way } from './publish.ts';
import { OwnJob, type SentJob } from './result.ts';
import { traceSend } from './trace-send.ts';

/**
 * Enqueues one job; resolves when JetStream has it.
 * @throws InvalidInputError, EnqueueError
 */
export async function enqueue(
  way: Way,
  task: TaskRef | string,
  input: unknown,
  options?: EnqueueOptions,
): Promise<SentJob> {
  const ready = prepare(way.settings.now, task, input, options);
  const prepared = ready instanceof Promise ? await ready : ready;
  const { unique } = prepared;
  const sending = traceSend(prepared);
  const [result] = unique
    ? [await publishUnique(way, sending.prepared, unique)]
    : await publish(way, [sending.prepared]);
  sending.end(result?.error);
  if (!result?.job) throw result?.error ?? new Error('publishJobs answered nothing');
  return new OwnJob(way.bus, result.job);
}
