import { reasonWithoutKey } from '@jetbeat/core';
import type { LiveJobEvent } from '@jetbeat/core/http';

/** The data of an event for whoever may see no payloads. */
export function hidePayload(data: LiveJobEvent): LiveJobEvent {
  const { result, ...job } = data.job;
  const reason = job.reason && reasonWithoutKey(job.reason);
  const hidden = [
    ...(reason === job.reason ? [] : ['concurrencyKey']),
    ...(result === undefined ? [] : ['result']),
  ];
  if (hidden.length === 0) return data;
  return { ...data, job: { ...job, ...(reason === undefined ? {} : { reason }), hidden } };
}
