import type { LiveJobEvent } from '@jetbeat/core';

/** The data of an event for whoever may see no payloads. */
export function hidePayload(data: LiveJobEvent): LiveJobEvent {
  const { result, ...job } = data.job;
  return result === undefined ? data : { ...data, job: { ...job, hidden: ['result'] } };
}
